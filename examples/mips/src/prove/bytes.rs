//! Keys and proofs as versioned bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are something else, or of another version.
    #[error("the bytes do not begin as those of this version do")]
    Magic,
    /// The body does not parse, or a number in it is not canonical.
    #[error("the bytes are truncated or altered")]
    Malformed,
    /// Something follows the body, or it is not how it would be written.
    #[error("the bytes are not encoded canonically")]
    NotCanonical,
}

/// Plain data as bytes.
///
/// # Panics
///
/// Never: plain data is always written.
pub(super) fn encode<T: Serialize>(magic: &[u8], value: &T) -> Vec<u8> {
    postcard::to_extend(value, magic.to_vec()).expect("plain data serialises")
}

/// What [`encode`] wrote.
pub(super) fn decode<T: Serialize + DeserializeOwned>(
    magic: &[u8],
    bytes: &[u8],
) -> Result<T, ReadError> {
    let body = bytes.strip_prefix(magic).ok_or(ReadError::Magic)?;
    let value = postcard::from_bytes(body).map_err(|_| ReadError::Malformed)?;
    if encode(magic, &value) == bytes { Ok(value) } else { Err(ReadError::NotCanonical) }
}
