//! Lists as files for spreadsheets.

use std::borrow::Cow;

use super::{Column, Error, Line};

/// Returns the list as CSV, with the ids and the heads of the columns.
pub(super) fn write(columns: &[Column], lines: &[Line]) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = columns.iter().map(|column| column.label);
    writer.write_record(heads).map_err(Error::internal)?;
    for line in lines {
        let cells = line.cells.iter().map(|cell| harmless(cell.plain()).into_owned());
        writer.write_record(cells).map_err(Error::internal)?;
    }
    writer.into_inner().map_err(|error| Error::internal(error.to_string()))
}

/// Prefixes a text with an apostrophe if a spreadsheet would take it for a formula, and run it when the file is opened.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::Cell;

    #[test]
    fn cells_are_quoted_and_run_nothing() {
        let columns = [Column::new("id", "Id"), Column::unsorted("Name")];
        let line = |id: i32, name: &str| Line { id, cells: vec![Cell::number(id), Cell::text(Some(name))] };
        let lines = [
            line(1, "=1+1"),
            line(2, "a \"b\", c"),
            line(3, "@SUM(A1)"),
            line(4, "\t=1"),
            line(5, "a-b"),
            Line { id: 6, cells: vec![Cell::number(-6), Cell::Secret { label: "Secret", text: "hidden".to_owned() }] },
        ];
        let file = String::from_utf8(write(&columns, &lines).unwrap()).unwrap();
        assert_eq!(file, "Id,Name\n1,'=1+1\n2,\"a \"\"b\"\", c\"\n3,'@SUM(A1)\n4,'\t=1\n5,a-b\n'-6,\n");
    }
}
