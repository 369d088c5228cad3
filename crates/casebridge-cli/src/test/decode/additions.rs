//! `customer`, `contact` and `comments` of a test: `true` for any, `false` for none, or which.

use mapping::diagnostic::Diagnostic;
use mapping::object::Object;
use mapping::tree::{Entry, Kind, Literal, Node};

use super::super::expectation::{Customer, Expected, ExpectedAdditions, Search};
use super::Decoder;

impl Decoder<'_> {
    pub(super) fn expected_additions(&mut self, object: &Object<'_>) -> ExpectedAdditions {
        let what = "`contact` is the ARN or id of the contact that is linked, `true` or `false`";
        ExpectedAdditions {
            customer: object
                .get("customer")
                .and_then(|node| self.either(node, Self::expected_customer)),
            contact: object.get("contact").and_then(|node| {
                self.either(node, |this, node| this.text(node, what).map(str::to_owned))
            }),
            comments: object
                .get("comments")
                .and_then(|node| self.either(node, Self::expected_comments)),
        }
    }

    /// `true`, `false`, or what `this` reads.
    fn either<T>(
        &mut self,
        node: &Node,
        this: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<Expected<T>> {
        if let Kind::Scalar(scalar) = &node.kind
            && let Literal::Boolean(any) = scalar.literal()
        {
            return Some(if any { Expected::Any } else { Expected::None });
        }
        this(self, node).map(Expected::This)
    }

    fn expected_customer(&mut self, node: &Node) -> Option<Customer> {
        let Kind::List(items) = &node.kind else {
            let what =
                "`customer` is the ARN or id of a profile, a list of searches, `true` or `false`";
            return self
                .text(node, what)
                .map(|name| Customer::Profile(name.to_owned()));
        };
        self.not_empty(
            node,
            items,
            "`customer` is empty: write `false` for no customer",
        );
        let searches: Vec<_> = items
            .iter()
            .map(|item| self.expected_search(item))
            .collect();
        let searches: Option<_> = searches.into_iter().collect();
        searches.map(Customer::Searches)
    }

    fn expected_search(&mut self, node: &Node) -> Option<Search> {
        let entries = self.named(node, "a search gives a value for each of its keys");
        let keys: Vec<_> = entries
            .into_iter()
            .map(|Entry { key, value }| {
                let text = self.constant(value)?.into_text().ok()?;
                Some((key.text.clone(), vec![text.into_owned()]))
            })
            .collect();
        keys.into_iter().collect()
    }

    fn expected_comments(&mut self, node: &Node) -> Option<Vec<String>> {
        let items = self.list(node, "`comments` is a list of texts, `true` or `false`")?;
        self.not_empty(
            node,
            items,
            "`comments` is empty: write `false` for no comment",
        );
        let texts = items.iter().map(|item| {
            let text = self.text(item, "a comment is text");
            text.map(str::to_owned)
        });
        let texts: Vec<_> = texts.collect();
        texts.into_iter().collect()
    }

    fn not_empty(&mut self, node: &Node, items: &[Node], message: &str) {
        if items.is_empty() {
            self.keep(Diagnostic::new(node.span, message));
        }
    }
}
