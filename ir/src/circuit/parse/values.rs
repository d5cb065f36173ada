//! What both stages have in common: constants, types, hints and calls.

use crate::circuit::call::{CallPort, ChipCall, Signature};
use crate::circuit::hint::HintKind;
use crate::circuit::value::{Constant, ValueType};
use crate::field::Field;
use crate::text::{Cursor, ParseError, Token};

/// The most outputs or rows that a text may ask for in one line.
const LIMIT: u32 = 1 << 20;

pub(super) fn constant(cursor: &mut Cursor<'_>, field: Field) -> Result<Constant, ParseError> {
    if !cursor.eat("[")? {
        return Ok(Constant::felt(canonical(cursor, field)?));
    }
    let mut coefficients = vec![canonical(cursor, field)?];
    while cursor.eat(",")? {
        coefficients.push(canonical(cursor, field)?);
    }
    cursor.expect("]")?;
    if coefficients.len() != field.degree() {
        let got = coefficients.len();
        let message = format!("{field} has {} coefficients, found {got}", field.degree());
        return Err(cursor.error(message));
    }
    Ok(Constant::ext(coefficients))
}

fn canonical(cursor: &mut Cursor<'_>, field: Field) -> Result<u64, ParseError> {
    let value = cursor.integer()?;
    if value.unsigned_abs() >= u128::from(field.modulus()) {
        return Err(cursor.error(format!("{value} is not below the modulus of {field}")));
    }
    Ok(field.reduce(value))
}

/// A type, if `:` announces one.
pub(super) fn annotation(cursor: &mut Cursor<'_>) -> Result<Option<ValueType>, ParseError> {
    if cursor.eat(":")? { ty(cursor).map(Some) } else { Ok(None) }
}

pub(super) fn ty(cursor: &mut Cursor<'_>) -> Result<ValueType, ParseError> {
    let word = cursor.word("a type")?;
    word.parse().map_err(|error: crate::circuit::UnknownType| cursor.error(error.to_string()))
}

/// The kind of a hint. External hints get their output types later.
pub(super) fn hint_kind(cursor: &mut Cursor<'_>) -> Result<HintKind, ParseError> {
    Ok(match cursor.word("a kind of hint")? {
        "inverse_or_zero" => HintKind::InverseOrZero,
        "bits" => HintKind::Bits(limited(cursor)?),
        "limbs" => HintKind::Limbs { width: limited(cursor)?, count: limited(cursor)? },
        "coefficients" => HintKind::Coefficients,
        "quotient" => HintKind::Quotient(unsigned(cursor)?),
        "remainder" => HintKind::Remainder(unsigned(cursor)?),
        "equal" => HintKind::Equal,
        "extern" => match cursor.next()? {
            Token::Text(name) => HintKind::Extern { name: name.to_owned(), outputs: Vec::new() },
            other => return Err(cursor.error(format!("expected a name, found {other}"))),
        },
        other => return Err(cursor.error(format!("unknown kind of hint `{other}`"))),
    })
}

fn limited(cursor: &mut Cursor<'_>) -> Result<u32, ParseError> {
    let value = cursor.index()?;
    if value > LIMIT {
        return Err(cursor.error(format!("{value} is more than {LIMIT}")));
    }
    cursor.spend(value.into())?;
    Ok(value)
}

fn unsigned(cursor: &mut Cursor<'_>) -> Result<u64, ParseError> {
    match cursor.next()? {
        Token::Integer(value) => Ok(value),
        other => Err(cursor.error(format!("expected a number, found {other}"))),
    }
}

/// The output types of an external hint: those written, or all `felt`.
pub(super) fn external_types(
    cursor: &mut Cursor<'_>,
    kind: &mut HintKind,
    count: usize,
) -> Result<(), ParseError> {
    if let HintKind::Extern { outputs, .. } = kind {
        if cursor.eat(":")? {
            outputs.push(ty(cursor)?);
            while cursor.eat(",")? {
                outputs.push(ty(cursor)?);
            }
        } else {
            outputs.resize(count, ValueType::Felt);
        }
    }
    Ok(())
}

/// `merkle<1, 0>`
pub(super) fn chip(cursor: &mut Cursor<'_>) -> Result<ChipCall, ParseError> {
    let mut call = match cursor.next()? {
        Token::Word(name) | Token::Text(name) => ChipCall::new(name),
        other => return Err(cursor.error(format!("expected the name of a chip, found {other}"))),
    };
    if cursor.eat("<")? {
        call.parameters.push(unsigned(cursor)?);
        while cursor.eat(",")? {
            call.parameters.push(unsigned(cursor)?);
        }
        cursor.expect(">")?;
    }
    Ok(call)
}

/// A call as written: its signature, the operands, the position of its data.
pub(super) struct CallText<T> {
    pub(super) chip: ChipCall,
    pub(super) signature: Signature,
    pub(super) inputs: Vec<T>,
    pub(super) data: Option<u32>,
}

/// Everything behind the word `call`. `operand` reads an input and says its type.
pub(super) fn call<'a, T>(
    cursor: &mut Cursor<'a>,
    outputs: usize,
    mut operand: impl FnMut(&mut Cursor<'a>) -> Result<(T, ValueType), ParseError>,
) -> Result<CallText<T>, ParseError> {
    let mut chip = chip(cursor)?;
    cursor.expect("(")?;
    let mut inputs = Vec::new();
    let mut places = Vec::new();
    let ended = |cursor: &mut Cursor<'a>| -> Result<bool, ParseError> {
        Ok(matches!(cursor.peek()?, Token::Punctuation(")" | "|")))
    };
    while !ended(cursor)? {
        if !inputs.is_empty() {
            cursor.expect(",")?;
        }
        let (input, known) = operand(cursor)?;
        let place = place(cursor)?;
        let ty = annotation(cursor)?.unwrap_or(known);
        inputs.push(input);
        places.push((ty, place));
    }
    let mut data = None;
    let mut data_len = 0;
    if cursor.eat("|")? {
        cursor.expect("data")?;
        data = Some(limited(cursor)?);
        cursor.expect("[")?;
        data_len = cursor.index()?;
        cursor.expect("]")?;
    }
    cursor.expect(")")?;
    if cursor.eat("rows")? {
        chip.rows = limited(cursor)?;
    }
    let mut results = Vec::new();
    if cursor.eat(":")? {
        loop {
            let ty = ty(cursor)?;
            results.push((ty, place(cursor)?));
            if !cursor.eat(",")? {
                break;
            }
        }
    } else {
        results.resize(outputs, (ValueType::Felt, None));
    }
    let default = |(i, (ty, place)): (usize, (ValueType, Option<(u32, u16)>))| {
        let (row, port) = place.unwrap_or((0, i as u16));
        CallPort { ty, row, port }
    };
    let mut ports = places.into_iter().chain(results).enumerate().map(default);
    let signature = Signature {
        inputs: ports.by_ref().take(inputs.len()).collect(),
        outputs: ports.collect(),
        data: data_len,
    };
    Ok(CallText { chip, signature, inputs, data })
}

/// `@row.port`
fn place(cursor: &mut Cursor<'_>) -> Result<Option<(u32, u16)>, ParseError> {
    if !cursor.eat("@")? {
        return Ok(None);
    }
    let row = cursor.index()?;
    cursor.expect(".")?;
    let port = cursor.index()?;
    match u16::try_from(port) {
        Ok(port) => Ok(Some((row, port))),
        Err(_) => Err(cursor.error(format!("port {port} does not fit 16 bits"))),
    }
}
