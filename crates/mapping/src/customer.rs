//! The long form of `customer`: the searches for a profile, and the actions after no match or several.
//!
//! The decoder compiles it to a [`FindCustomer`].

use crate::expression::ValueExpr;
use crate::phone::Country;

/// The search for the customer's profile.
#[derive(Clone, Debug)]
pub struct FindCustomer {
    /// The searches, tried in order.
    pub searches: Vec<Search>,
    /// The action when no search finds a profile.
    pub if_none: IfNone,
    /// The action when a search finds several profiles.
    pub if_many: IfMany,
    /// The country of phone numbers without a country prefix.
    pub phone_country: Option<Country>,
}

/// One entry of `find`: search keys (`SearchProfiles` `KeyName`) with their values. All of them must match.
pub type Search = Vec<(String, ValueExpr)>;

/// The action when no profile is found.
#[derive(Clone, Debug, Default)]
pub enum IfNone {
    /// No case is created.
    #[default]
    Fail,
    /// The case is created without a customer.
    Skip,
    /// A profile is created.
    Create(NewProfile),
}

/// The action when several profiles are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfMany {
    /// No case is created.
    #[default]
    Fail,
    /// The profile with the lowest id is used.
    First,
}

/// The members of a profile to create. Members without a value are omitted.
#[derive(Clone, Debug)]
pub struct NewProfile {
    /// Members of `CreateProfile`.
    pub members: Vec<(ProfileMember, ValueExpr)>,
    /// Entries of `Attributes`.
    pub attributes: Vec<(String, ValueExpr)>,
}

/// A text member of `CreateProfile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's own")]
pub enum ProfileMember {
    AccountNumber,
    AdditionalInformation,
    BirthDate,
    BusinessEmailAddress,
    BusinessName,
    BusinessPhoneNumber,
    EmailAddress,
    FirstName,
    GenderString,
    HomePhoneNumber,
    LastName,
    MiddleName,
    MobilePhoneNumber,
    PartyTypeString,
    PersonalEmailAddress,
    PhoneNumber,
}

/// The member of `create` for attributes that the author names.
pub const ATTRIBUTES: &str = "Attributes";

impl ProfileMember {
    /// All members with their API names.
    pub const NAMES: [(&'static str, Self); 16] = [
        ("AccountNumber", Self::AccountNumber),
        ("AdditionalInformation", Self::AdditionalInformation),
        ("BirthDate", Self::BirthDate),
        ("BusinessEmailAddress", Self::BusinessEmailAddress),
        ("BusinessName", Self::BusinessName),
        ("BusinessPhoneNumber", Self::BusinessPhoneNumber),
        ("EmailAddress", Self::EmailAddress),
        ("FirstName", Self::FirstName),
        ("GenderString", Self::GenderString),
        ("HomePhoneNumber", Self::HomePhoneNumber),
        ("LastName", Self::LastName),
        ("MiddleName", Self::MiddleName),
        ("MobilePhoneNumber", Self::MobilePhoneNumber),
        ("PartyTypeString", Self::PartyTypeString),
        ("PersonalEmailAddress", Self::PersonalEmailAddress),
        ("PhoneNumber", Self::PhoneNumber),
    ];

    /// Returns the API name of the member.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, member)| *member == self)
            .map_or("", |(name, _)| name)
    }

    /// Returns the maximum length of a value, in characters (`sensitiveString1To255`, `sensitiveString1To1000`).
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::AdditionalInformation => 1000,
            _ => 255,
        }
    }

    /// Returns true if the member is a phone number.
    #[must_use]
    pub fn is_phone(self) -> bool {
        matches!(
            self,
            Self::BusinessPhoneNumber
                | Self::HomePhoneNumber
                | Self::MobilePhoneNumber
                | Self::PhoneNumber
        )
    }

    /// Returns the predefined search key that searches this member, if there is one.
    #[must_use]
    pub fn search_key(self) -> Option<&'static str> {
        match self {
            Self::AccountNumber => Some("_account"),
            Self::BusinessEmailAddress | Self::EmailAddress | Self::PersonalEmailAddress => {
                Some("_email")
            }
            Self::FirstName | Self::LastName | Self::MiddleName => Some("_fullName"),
            _ if self.is_phone() => Some("_phone"),
            _ => None,
        }
    }
}

/// The search keys that every profiles domain has (API model 2020-08-15, `SearchProfiles`).
pub const SEARCH_KEYS: [&str; 21] = [
    "_account",
    "_profileId",
    "_assetId",
    "_caseId",
    "_orderId",
    "_fullName",
    "_phone",
    "_email",
    "_ctrContactId",
    "_marketoLeadId",
    "_salesforceAccountId",
    "_salesforceContactId",
    "_salesforceAssetId",
    "_zendeskUserId",
    "_zendeskExternalId",
    "_zendeskTicketId",
    "_serviceNowSystemId",
    "_serviceNowIncidentId",
    "_segmentUserId",
    "_shopifyCustomerId",
    "_shopifyOrderId",
];

/// The search key of phone numbers.
pub const PHONE: &str = "_phone";

/// The maximum number of keys in one search: `KeyName` plus those in `AdditionalSearchKeys`.
pub const KEYS_IN_A_SEARCH: usize = 5;

impl FindCustomer {
    /// Returns the value expressions of the searches and of the profile to create.
    pub fn value_exprs(&self) -> impl Iterator<Item = &ValueExpr> {
        let created = match &self.if_none {
            IfNone::Create(profile) => Some(profile),
            IfNone::Fail | IfNone::Skip => None,
        };
        let keys = self.searches.iter().flatten().map(|(_, value)| value);
        keys.chain(created.into_iter().flat_map(NewProfile::value_exprs))
    }
}

impl NewProfile {
    fn value_exprs(&self) -> impl Iterator<Item = &ValueExpr> {
        let members = self.members.iter().map(|(_, value)| value);
        members.chain(self.attributes.iter().map(|(_, value)| value))
    }
}

/// Returns true if the text is a valid name of a search key (`name`: 1 to 64 letters, digits, `_` and `-`).
#[must_use]
pub fn is_search_key(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
