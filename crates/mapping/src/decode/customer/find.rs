//! `find`, `if_none` and `if_many`.

use super::super::Decoder;
use crate::customer::{
    ATTRIBUTES, FindCustomer, IfMany, IfNone, KEYS_IN_A_SEARCH, NewProfile, ProfileMember,
    SEARCH_KEYS, Search, is_search_key,
};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::expression::ValueExpr;
use crate::limits;
use crate::object::Object;
use crate::phone::Country;
use crate::schema;
use crate::tree::{Entry, Kind, Node, Span};

impl Decoder<'_> {
    pub(super) fn find_customer(
        &mut self,
        node: &Node,
        object: &Object<'_>,
    ) -> Option<FindCustomer> {
        let searches = self.searches(node);
        let if_none = object.get("if_none").map(|node| self.if_none(node));
        let if_many = object
            .get("if_many")
            .map(|node| self.word(node, &[("fail", IfMany::Fail), ("first", IfMany::First)]));
        let find = FindCustomer {
            searches: searches?,
            if_none: if_none.unwrap_or_else(|| Some(IfNone::default()))?,
            if_many: if_many.unwrap_or_else(|| Some(IfMany::default()))?,
            phone_country: self.phone_country,
        };
        if find.if_many == IfMany::First {
            let message = "`if_many: first` may put one customer's case under another: people share phone numbers and e-mail addresses";
            let help = "search by a key of one person alone, or write `if_many: fail`";
            let span = object.span_of("if_many");
            self.warn(Diagnostic::warning(span, Code::Customer, message).help(help));
        }
        if let IfNone::Create(profile) = &find.if_none {
            self.warn_of_creation(&find.searches, profile, object.span_of("if_none"));
        }
        Some(find)
    }

    /// What may go wrong with profiles that are created.
    fn warn_of_creation(&mut self, searches: &[Search], profile: &NewProfile, span: Span) {
        let twice = "two deliveries at once may create the profile twice: `CreateProfile` takes no token, and search shows a new profile late";
        self.warn(
            Diagnostic::warning(span, Code::Customer, twice)
                .help("merge such profiles with Identity Resolution, or write `if_none: skip`"),
        );
        let found_again = |(key, _): &(String, ValueExpr)| {
            let mut members = profile.members.iter();
            members.any(|(member, _)| member.search_key() == Some(key.as_str()))
        };
        if !searches.iter().any(|search| search.iter().all(found_again)) {
            let message = "no search of `find` finds the profile that this creates, so every case gets a profile of its own";
            let help = "set a member that `find` searches by: `_phone` finds PhoneNumber, `_email` finds EmailAddress, `_account` finds AccountNumber";
            self.warn(Diagnostic::warning(span, Code::Customer, message).help(help));
        }
    }

    fn searches(&mut self, node: &Node) -> Option<Vec<Search>> {
        let items = self.list(node, "`find` is a list of searches")?;
        if items.is_empty() {
            let message = "`find` needs at least one search";
            let help = "such as `- _phone: $.CustomerEndpoint.Address`";
            let diagnostic = Diagnostic::new(node.span, message).help(help);
            return self.refuse(diagnostic.code(Code::Customer));
        }
        let searches: Vec<Search> = items.iter().filter_map(|item| self.search(item)).collect();
        (searches.len() == items.len()).then_some(searches)
    }

    fn search(&mut self, node: &Node) -> Option<Search> {
        let entries = self.named(node, "a search gives a value for each search key");
        let Kind::Map(_) = node.kind else { return None };
        if !(1..=KEYS_IN_A_SEARCH).contains(&entries.len()) {
            let found = entries.len();
            let message = format!("a search has 1 to {KEYS_IN_A_SEARCH} keys, found {found}");
            self.keep(Diagnostic::new(node.span.first_character(), message).code(Code::Customer));
        }
        let mut search = Search::new();
        for Entry { key, value } in entries {
            let (name, span) = (&key.text, key.span);
            if !is_search_key(name) {
                let message = format!(
                    "`{name}` is no search key: it has 1 to 64 letters, digits, `_` and `-`"
                );
                self.keep(Diagnostic::new(span, message).code(Code::Customer));
            } else if name.starts_with('_') && !SEARCH_KEYS.contains(&name.as_str()) {
                let message = format!("Customer Profiles has no search key `{name}` of its own");
                let near = nearest(name, SEARCH_KEYS);
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.warn(Diagnostic::warning(span, Code::Customer, message).maybe_help(help));
            }
            let value_span = value.span;
            let Some(value) = self.value(value) else {
                continue;
            };
            if value.constant().is_some() {
                let message = "this search finds the same profiles for every event";
                let help = "search by something of the event, such as $.CustomerEndpoint.Address";
                let diagnostic = Diagnostic::new(value_span, message).help(help);
                self.keep(diagnostic.code(Code::Customer));
            }
            search.push((name.clone(), value));
        }
        Some(search)
    }

    /// `phone_country`
    pub(in super::super) fn country(&mut self, node: &Node) -> Option<Country> {
        let code = match &node.kind {
            Kind::Scalar(scalar) => Country::from_code(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        };
        code.or_else(|| {
            let message =
                "`phone_country` takes a country's code: two capital letters of ISO 3166-1";
            let diagnostic = Diagnostic::new(node.span, message).help("such as `US`, `GB` or `DE`");
            self.refuse(diagnostic.code(Code::Customer))
        })
    }

    fn if_none(&mut self, node: &Node) -> Option<IfNone> {
        let Kind::Map(_) = node.kind else {
            return match &node.kind {
                Kind::Scalar(scalar) if scalar.text == "fail" => Some(IfNone::Fail),
                Kind::Scalar(scalar) if scalar.text == "skip" => Some(IfNone::Skip),
                _ => {
                    let message =
                        "`if_none` takes `fail`, `skip` or `create` with the profile's members";
                    let help = "such as `if_none: { create: { PhoneNumber: $.CustomerEndpoint.Address } }`";
                    self.refuse(
                        Diagnostic::new(node.span, message)
                            .help(help)
                            .code(Code::UnknownWord),
                    )
                }
            };
        };
        let object = self.object(node, &schema::IF_NONE)?;
        self.new_profile(object.get("create")?).map(IfNone::Create)
    }

    fn new_profile(&mut self, node: &Node) -> Option<NewProfile> {
        let object = self.object(node, &schema::PROFILE)?;
        let mut profile = NewProfile {
            members: Vec::new(),
            attributes: Vec::new(),
        };
        for (name, member) in ProfileMember::NAMES {
            let Some(node) = object.get(name) else {
                continue;
            };
            if let Some(value) = self.bounded_value(node, name, member.limit()) {
                profile.members.push((member, value));
            }
        }
        if let Some(node) = object.get(ATTRIBUTES) {
            for Entry { key, value } in self.named(node, "`Attributes` gives a value for each name")
            {
                let (name, length) = (&key.text, key.text.chars().count());
                if !(1..=limits::PROFILE_ATTRIBUTE).contains(&length) {
                    let limit = limits::PROFILE_ATTRIBUTE;
                    let message =
                        format!("an attribute's name has 1 to {limit} characters, found {length}");
                    self.keep(Diagnostic::new(key.span, message).code(Code::Customer));
                }
                if let Some(value) = self.bounded_value(value, name, limits::PROFILE_ATTRIBUTE) {
                    profile.attributes.push((name.clone(), value));
                }
            }
        }
        if profile.members.is_empty() && profile.attributes.is_empty() && !object.is_empty() {
            return None;
        }
        if object.is_empty() {
            let message = "`create` sets no member: the profile would be empty";
            let help = "such as `PhoneNumber: $.CustomerEndpoint.Address`";
            let diagnostic = Diagnostic::new(node.span.first_character(), message).help(help);
            return self.refuse(diagnostic.code(Code::Customer));
        }
        Some(profile)
    }

    /// A value that is too long whatever the event is a diagnostic.
    fn bounded_value(&mut self, node: &Node, name: &str, limit: usize) -> Option<ValueExpr> {
        let value = self.value(node)?;
        let constant = value.constant().and_then(|item| item.into_text().ok());
        let length = constant.map_or(0, |text| text.chars().count());
        if length > limit {
            let message = format!("`{name}` has at most {limit} characters, found {length}");
            self.keep(Diagnostic::new(node.span, message).code(Code::Customer));
        }
        Some(value)
    }
}
