//! Proofs and keys as bytes: a header that says what follows, then the body.
//!
//! The header is the magic `chipwright`, the version of the format, the kind of object, and the digest
//! of the statement that the object belongs to. It is checked before anything of the body is read, so a
//! proof of another circuit is called that, not "malformed". Every object has exactly one encoding.
//! Reading takes memory proportional to the length of the input, which is limited.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of the format. Objects of another version are refused.
pub const VERSION: u16 = 1;

/// The longest encoding that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 28;

const MAGIC: &[u8; 10] = b"chipwright";
const HEADER: usize = MAGIC.len() + 2 + 1 + 32;

/// What an encoding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A proof.
    Proof = 1,
    /// A verifying key.
    VerifyingKey = 2,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Proof => "a proof",
            Self::VerifyingKey => "a verifying key",
        }
    }
}

/// Bytes that are not the encoding of what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than any object takes.
    #[error("{length} bytes are more than the limit of {MAX_BYTES}")]
    TooLong {
        /// The length of the input.
        length: usize,
    },
    /// The input ends within the header.
    #[error("the header takes {HEADER} bytes, the input has {length}")]
    Truncated {
        /// The length of the input.
        length: usize,
    },
    /// The input does not begin as it should.
    #[error("the input is neither a proof nor a key: it does not begin with `chipwright`")]
    Magic,
    /// The format is not known.
    #[error("format version {found} is not supported, expected {VERSION}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// The object is of another kind.
    #[error("expected {expected}, found an object of kind {found}")]
    Kind {
        /// The kind expected.
        expected: &'static str,
        /// The kind found.
        found: u8,
    },
    /// The object belongs to another statement.
    #[error("the object belongs to statement {found}, expected {expected}")]
    Statement {
        /// The digest expected, abbreviated.
        expected: String,
        /// The digest found, abbreviated.
        found: String,
    },
    /// The body does not parse.
    #[error("the body is malformed")]
    Malformed {
        /// What the parser says.
        reason: String,
    },
    /// Something follows the body.
    #[error("{extra} bytes follow the end of the body")]
    Trailing {
        /// Their number.
        extra: usize,
    },
    /// The body parses, but is not how it would be written.
    #[error("the body is not encoded canonically")]
    NotCanonical,
}

/// Writes an object.
pub(crate) fn encode<T: Serialize>(kind: Kind, statement: &[u8; 32], body: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.push(kind as u8);
    bytes.extend_from_slice(statement);
    postcard::to_extend(body, bytes).expect("plain data serialises")
}

/// Reads an object, and the digest of its statement; which, if given, must be `expected`.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(
    kind: Kind,
    expected: Option<&[u8; 32]>,
    bytes: &[u8],
) -> Result<([u8; 32], T), DecodeError> {
    let length = bytes.len();
    if length > MAX_BYTES {
        return Err(DecodeError::TooLong { length });
    }
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(DecodeError::Truncated { length })?;
    let (magic, header) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(DecodeError::Magic);
    }
    let found = u16::from_le_bytes([header[0], header[1]]);
    if found != VERSION {
        return Err(DecodeError::Version { found });
    }
    if header[2] != kind as u8 {
        return Err(DecodeError::Kind { expected: kind.name(), found: header[2] });
    }
    let mut statement = [0; 32];
    statement.copy_from_slice(&header[3..]);
    if let Some(expected) = expected
        && *expected != statement
    {
        return Err(DecodeError::Statement {
            expected: abbreviate(expected),
            found: abbreviate(&statement),
        });
    }
    let (value, rest) = postcard::take_from_bytes::<T>(body)
        .map_err(|error| DecodeError::Malformed { reason: error.to_string() })?;
    if !rest.is_empty() {
        return Err(DecodeError::Trailing { extra: rest.len() });
    }
    if encode(kind, &statement, &value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok((statement, value))
}

/// The first eight bytes of a digest in hexadecimal.
pub(crate) fn abbreviate(digest: &[u8; 32]) -> String {
    let leading = digest[..8].iter().fold(0, |value: u64, &byte| value << 8 | u64::from(byte));
    format!("{leading:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_reject(tamper: impl FnOnce(&mut Vec<u8>), expected: &DecodeError) {
        let mut bytes = encode(Kind::Proof, &[3; 32], &vec![1_u64, 300]);
        tamper(&mut bytes);
        let error = decode::<Vec<u64>>(Kind::Proof, Some(&[3; 32]), &bytes).expect_err("tampered");
        assert_eq!(&error, expected);
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = encode(Kind::Proof, &[3; 32], &vec![1_u64, 300]);
        assert_eq!(decode(Kind::Proof, None, &bytes), Ok(([3; 32], vec![1_u64, 300])));
    }

    #[test]
    fn every_part_of_the_header_is_checked() {
        check_reject(|bytes| bytes[0] ^= 1, &DecodeError::Magic);
        check_reject(|bytes| bytes[10] = 9, &DecodeError::Version { found: 9 });
        check_reject(|bytes| bytes[12] = 2, &DecodeError::Kind { expected: "a proof", found: 2 });
        check_reject(
            |bytes| bytes[13] = 4,
            &DecodeError::Statement {
                expected: "0303030303030303".to_owned(),
                found: "0403030303030303".to_owned(),
            },
        );
        check_reject(|bytes| bytes.truncate(20), &DecodeError::Truncated { length: 20 });
    }

    #[test]
    fn the_body_has_one_encoding() {
        check_reject(|bytes| bytes.push(0), &DecodeError::Trailing { extra: 1 });
        // One element, one; as a number of two bytes.
        check_reject(
            |bytes| {
                bytes.truncate(HEADER);
                bytes.extend([1, 0x81, 0x00]);
            },
            &DecodeError::NotCanonical,
        );
    }

    #[test]
    fn more_bytes_than_any_object_takes_are_not_read() {
        for (length, expected) in [
            (MAX_BYTES, DecodeError::Magic),
            (MAX_BYTES + 1, DecodeError::TooLong { length: MAX_BYTES + 1 }),
        ] {
            let error = decode::<Vec<u64>>(Kind::Proof, None, &vec![0; length]).expect_err("zeros");
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn an_absurd_length_does_not_allocate() {
        let mut bytes = encode(Kind::Proof, &[3; 32], &Vec::<u64>::new());
        bytes.pop();
        bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        let error = decode::<Vec<u64>>(Kind::Proof, None, &bytes).expect_err("too short");
        assert!(matches!(error, DecodeError::Malformed { .. }), "{error}");
    }
}
