//! A table of optional cells as a Parquet file, a group of rows at a time.

use std::io;
use std::sync::Arc;

use hansel_ledger::Amount;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::columns::{Column, Kind, Value};
use crate::format::FormatError;
use crate::model::Timestamp;

/// The cells of a row, one for each column.
pub(super) type Row<'a> = Vec<Option<Value<'a>>>;

/// Rows that are held in memory at once.
const GROUP: usize = 1 << 15;

/// Digits and bytes of the largest whole number that readers know: 38 digits fit into 16 bytes with a sign.
const DIGITS: i32 = 38;
const BYTES: usize = 16;

/// Writes the rows in order; `largest` is the largest amount among them.
pub(super) fn write_table<'a>(
    columns: &[Column],
    largest: Amount,
    rows: impl Iterator<Item = Row<'a>>,
    out: &mut dyn io::Write,
) -> Result<(), FormatError> {
    let decimal = fits_decimal(largest);
    let schema = schema(columns, decimal)?;
    let properties = Arc::new(WriterProperties::builder().build());
    // The writer may be sent between threads and `out` may not, so pieces go through a buffer.
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let group: Vec<Row<'_>> = rows.by_ref().take(GROUP).collect();
        let mut writer = file.next_row_group()?;
        for (index, column) in columns.iter().enumerate() {
            let cells = group.iter().filter_map(|row| row.get(index));
            write_column(&mut writer, column.kind, decimal, cells)?;
        }
        writer.close()?;
        file.flush()?;
        out.write_all(file.inner())?;
        file.inner_mut().clear();
    }
    file.finish()?;
    Ok(out.write_all(file.inner())?)
}

fn fits_decimal(largest: Amount) -> bool {
    usize::try_from(DIGITS).is_ok_and(|most| largest.to_string().len() <= most)
}

fn schema(columns: &[Column], decimal: bool) -> Result<TypePtr, FormatError> {
    let fields = columns.iter().map(|column| field(column, decimal));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("hansel").with_fields(fields);
    Ok(Arc::new(schema.build()?))
}

fn field(column: &Column, decimal: bool) -> Result<TypePtr, FormatError> {
    let (physical, logical) = match column.kind {
        Kind::Whole => (Physical::INT64, LogicalType::integer(64, false)),
        Kind::Time => (
            Physical::INT64,
            LogicalType::timestamp(true, TimeUnit::MILLIS),
        ),
        Kind::Amount if decimal => (
            Physical::FIXED_LEN_BYTE_ARRAY,
            LogicalType::decimal(0, DIGITS),
        ),
        Kind::Amount | Kind::Text => (Physical::BYTE_ARRAY, LogicalType::String),
    };
    let mut field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(logical));
    if physical == Physical::FIXED_LEN_BYTE_ARRAY {
        field = field.with_length(16).with_precision(DIGITS).with_scale(0);
    }
    Ok(Arc::new(field.build()?))
}

fn write_column<'a, 'v: 'a, W: io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    kind: Kind,
    decimal: bool,
    cells: impl Iterator<Item = &'a Option<Value<'v>>>,
) -> Result<(), FormatError> {
    let cells = cells.map(Option::as_ref);
    match kind {
        Kind::Whole | Kind::Time => {
            put::<Int64Type, _>(group, cells.map(|cell| cell.map(number).transpose()))
        }
        Kind::Amount if decimal => {
            put::<FixedLenByteArrayType, _>(group, cells.map(|cell| Ok(cell.map(fixed))))
        }
        Kind::Amount | Kind::Text => {
            put::<ByteArrayType, _>(group, cells.map(|cell| Ok(cell.map(text))))
        }
    }
}

/// Absent cells have level 0 and no value.
fn put<T: DataType, W: io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: impl Iterator<Item = Result<Option<T::T>, FormatError>>,
) -> Result<(), FormatError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let cell = cell?;
        levels.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    if let Some(mut column) = group.next_column()? {
        column
            .typed::<T>()
            .write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}

fn text(value: &Value<'_>) -> ByteArray {
    ByteArray::from(value.shown().into_owned().into_bytes())
}

/// Heights are unsigned and keep their bits; times are milliseconds since 1970.
fn number(value: &Value<'_>) -> Result<i64, FormatError> {
    match value {
        Value::Time(time) => milliseconds(*time),
        Value::Whole(number) => Ok(i64::from_ne_bytes(number.to_ne_bytes())),
        Value::Text(_) | Value::Amount(_) => Ok(0),
    }
}

fn milliseconds(time: Timestamp) -> Result<i64, FormatError> {
    let seconds = i64::try_from(time.0.0).ok();
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000))
        .ok_or(FormatError::Time(time))
}

/// The amount as a big-endian number with a sign.
fn fixed(value: &Value<'_>) -> FixedLenByteArray {
    let amount = match value {
        Value::Amount(amount) => *amount,
        Value::Text(_) | Value::Whole(_) | Value::Time(_) => Amount::ZERO,
    };
    let bytes: [u8; 32] = amount.to_u256().to_be_bytes();
    FixedLenByteArray::from(bytes[32 - BYTES..].to_vec())
}
