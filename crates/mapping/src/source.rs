//! Source files: turns the text of a YAML or JSON file into a tree.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::tree::Node;
use crate::{json, yaml};

/// The format of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, and nothing that only YAML allows.
    Json,
    /// YAML.
    Yaml,
}

/// The tree of a file that was read to its end.
#[derive(Clone, Debug)]
pub struct Source {
    /// The root of the tree.
    pub root: Node,
    /// The syntax errors that did not stop the reader.
    pub errors: Vec<Diagnostic>,
}

impl Format {
    /// Returns the format by the file's name: JSON if it ends in `.json`, else YAML.
    #[must_use]
    pub fn of(file: &str) -> Self {
        let extension = Path::new(file).extension();
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            Self::Json
        } else {
            Self::Yaml
        }
    }

    /// Reads the tree of a file.
    ///
    /// # Errors
    /// The syntax errors that stopped the reader.
    pub fn parse(self, text: &str) -> Result<Source, Vec<Diagnostic>> {
        let syntax = |errors: Vec<Diagnostic>| -> Vec<Diagnostic> {
            let errors = errors.into_iter();
            errors.map(|error| error.code(Code::Syntax)).collect()
        };
        let (root, errors) = match self {
            Self::Json => (
                json::parse(text).map_err(|error| syntax(vec![error]))?,
                Vec::new(),
            ),
            Self::Yaml => yaml::parse(text).map_err(syntax)?,
        };
        Ok(Source {
            root,
            errors: syntax(errors),
        })
    }
}
