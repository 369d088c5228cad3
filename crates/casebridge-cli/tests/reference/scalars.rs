//! What a scalar of the mapping is, as the library reads it.

use mapping::tree::{Kind, Literal};
use mapping::yaml;

use super::markdown::{self, code};

const ROWS: [(&str, &str); 12] = [
    ("1.10", "a Text field gets `1.10`, a Number field 1.1"),
    ("\"1.10\"", ""),
    ("012345679012", "an account id keeps its zero"),
    ("1_000", ""),
    ("0x1F", ""),
    ("true", ""),
    ("yes", "and `no`, `on`, `off`"),
    ("\"true\"", "what a contact attribute holds"),
    ("null", "as a field's value it sends the field empty"),
    ("\"null\"", ""),
    ("~", ""),
    ("2026-11-22", "a date is text"),
];

pub(crate) fn table() -> String {
    let rows: Vec<[String; 3]> = ROWS
        .iter()
        .map(|(written, remark)| {
            let (node, _) = yaml::parse(written).expect("YAML");
            let Kind::Scalar(scalar) = &node.kind else {
                panic!("{written} is a scalar");
            };
            let kind = match scalar.literal() {
                Literal::Empty => "nothing".to_owned(),
                Literal::Null => "`null`".to_owned(),
                Literal::Boolean(_) => "a boolean".to_owned(),
                Literal::Number(_) => "a number".to_owned(),
                Literal::Text(text) => format!("the text {}", code(text)),
            };
            [code(written), kind, (*remark).to_owned()]
        })
        .collect();
    markdown::table(["written", "is", ""], &rows)
}
