//! Amazon Connect Customer Profiles: turns an event's customer data into the ARN of one profile.
//!
//! A search is a read and may be repeated. `CreateProfile` has no client token, so it is sent once.
//! If it may have succeeded without an answer, the profile is searched for again, and never created again.

#![expect(
    clippy::disallowed_types,
    reason = "this file is where Customer Profiles is called"
)]

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_customerprofiles::Client;
use aws_sdk_customerprofiles::config::Builder as ConfigBuilder;
use aws_sdk_customerprofiles::operation::create_profile::builders::CreateProfileFluentBuilder;
use aws_sdk_customerprofiles::types::{AdditionalSearchKey, LogicalOperator};
use futures_util::FutureExt as _;

use crate::call::{self, NeverInDoubt, Opening, Operation, WarmUp};
use crate::deadline::Deadline;
use crate::error::{ErrorCode, Failure};
use crate::request::{CustomerSearch, ProfileToCreate, ProfilesDomain, SearchKey};
use mapping::arn;
use mapping::customer::{IfMany, ProfileMember};

const SEARCH_PROFILES: Operation = Operation {
    name: "SearchProfiles",
    actions: "profile:SearchProfiles",
    quota: "100 a second",
    not_found: "the profiles domain does not exist: check PROFILES_DOMAIN",
    refused: "it refuses the search; `find` may name a search key that the profiles domain does not have",
};

const CREATE_PROFILE: Operation = Operation {
    name: "CreateProfile",
    actions: "profile:CreateProfile",
    quota: "100 a second",
    not_found: "the profiles domain does not exist: check PROFILES_DOMAIN",
    refused: "it refuses the profile that `create` makes of this event",
};

/// The maximum size of a page of `SearchProfiles`, and the maximum number of pages to find the lowest profile id.
const PAGE: i32 = 100;
const PAGES: usize = 10;

/// The pauses before each search for a profile that may have been created. Search lags behind creation.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// The client of the profiles domain.
#[derive(Clone, Debug)]
pub struct Customers {
    config: SdkConfig,
    /// Created for the first call, because many environments end before an event needs it.
    client: OnceLock<Client>,
    /// Absent if the mapping neither searches for profiles nor names them by id.
    domain: Option<ProfilesDomain>,
}

impl Customers {
    /// Creates a client of the profiles domain in the account, Region and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig, domain: Option<ProfilesDomain>) -> Self {
        Self {
            config: config.clone(),
            client: OnceLock::new(),
            domain,
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::from_conf(call::configured!(ConfigBuilder::from(&self.config)).build())
        })
    }

    /// Opens the connection to Customer Profiles, without searching for a customer.
    pub async fn warm_up(&self) -> Opening {
        let (Ok(call), Ok(domain)) = (SEARCH_PROFILES.warm_up(), self.domain()) else {
            return Opening::NONE;
        };
        let warm_up = WarmUp::of(&call, r#"{"Items":[]}"#);
        let builder = self
            .client()
            .search_profiles()
            .domain_name(&domain.name)
            .key_name("_profileId")
            .values("warm-up");
        let sent = call::send!(builder, warm_up);
        Opening::of(call, warm_up, &sent)
    }

    fn domain(&self) -> Result<&ProfilesDomain, Failure> {
        self.domain.as_ref().ok_or_else(|| {
            let message = "the mapping searches for the customer, and PROFILES_DOMAIN was not set at the start";
            Failure::new(ErrorCode::InternalError, message)
        })
    }

    /// Returns the ARN of a profile.
    ///
    /// # Errors
    /// `InternalError`: no profiles domain is configured.
    pub fn arn(&self, profile_id: &str) -> Result<String, Failure> {
        Ok(self.domain()?.arn(profile_id))
    }

    /// Returns true if the profile exists. It searches for the profile's id in the domain that the ARN names.
    ///
    /// # Errors
    /// Customer Profiles returned an error or could not be reached.
    pub async fn exists(&self, arn: &str, deadline: Deadline) -> Result<bool, Failure> {
        let call = SEARCH_PROFILES.repeatable(deadline)?;
        let Some((domain, profile_id)) = arn::profile(arn) else {
            return Ok(false);
        };
        let builder = self
            .client()
            .search_profiles()
            .domain_name(domain)
            .key_name("_profileId")
            .values(profile_id);
        let sent = call::send!(builder, call.attempts);
        let output = sent.map_err(|error| call.failure(&error))?;
        Ok(output.items.is_some_and(|items| !items.is_empty()))
    }

    /// Returns the id of the profile that the first search with a result finds.
    ///
    /// # Errors
    /// `CustomerAmbiguous`, or the error of Customer Profiles.
    pub async fn search(
        &self,
        search: &CustomerSearch,
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        for keys in &search.searches {
            let found = match search.if_many {
                IfMany::Fail => self.only(keys, deadline).await?,
                IfMany::First => self.lowest(keys, deadline).await?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn only(
        &self,
        keys: &[SearchKey],
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let (mut found, more) = self.page(keys, None, 2, deadline).await?;
        match found.pop() {
            Some(profile_id) if found.is_empty() && more.is_none() => Ok(Some(profile_id)),
            None if more.is_none() => Ok(None),
            _ => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
                let message = format!(
                    "several profiles have the customer's {}: search by more keys, or merge the profiles",
                    keys.join(" and ")
                );
                Err(Failure::new(ErrorCode::CustomerAmbiguous, message).of("customer"))
            }
        }
    }

    /// Returns the lowest profile id, so that the result is the same every time.
    async fn lowest(
        &self,
        keys: &[SearchKey],
        deadline: Deadline,
    ) -> Result<Option<String>, Failure> {
        let (mut lowest, mut token) = (None, None);
        for _ in 0..PAGES {
            let (found, more) = self.page(keys, token, PAGE, deadline).await?;
            lowest = lowest.into_iter().chain(found).min();
            token = more;
            if token.is_none() {
                return Ok(lowest);
            }
        }
        let limit = PAGES * usize::try_from(PAGE).unwrap_or_default();
        let message = format!(
            "more than {limit} profiles have the customer's keys: no one of them can be the customer"
        );
        Err(Failure::new(ErrorCode::CustomerAmbiguous, message).of("customer"))
    }

    /// Returns the profile ids of one page, and the token of the next page.
    ///
    /// All keys have to match. By the API's default one match is enough, which finds strangers who share a phone.
    async fn page(
        &self,
        keys: &[SearchKey],
        token: Option<String>,
        size: i32,
        deadline: Deadline,
    ) -> Result<(Vec<String>, Option<String>), Failure> {
        let call = SEARCH_PROFILES.repeatable(deadline)?;
        let Some((key, others)) = keys.split_first() else {
            return Ok((Vec::new(), None));
        };
        let mut request = self
            .client()
            .search_profiles()
            .domain_name(&self.domain()?.name)
            .key_name(&key.name)
            .set_values(Some(key.values.clone()))
            .max_results(size)
            .set_next_token(token);
        for key in others {
            let key = AdditionalSearchKey::builder()
                .key_name(&key.name)
                .set_values(Some(key.values.clone()));
            let key = key.build().map_err(|_| {
                let message = "a search key could not be put into the request";
                Failure::new(ErrorCode::InternalError, message).of("customer")
            })?;
            request = request
                .additional_search_keys(key)
                .logical_operator(LogicalOperator::And);
        }
        let sent = call::send!(request, call.attempts);
        let output = sent.map_err(|error| call.failure(&error))?;
        let found = output.items.into_iter().flatten();
        let found = found.filter_map(|profile| profile.profile_id).collect();
        Ok((found, output.next_token.filter(|token| !token.is_empty())))
    }

    /// Creates the profile, and returns its id.
    ///
    /// # Errors
    /// `CustomerUnknown`: the profile may have been created, but search does not show it. Otherwise the error of Customer Profiles.
    pub async fn create(
        &self,
        profile: &ProfileToCreate,
        search: &CustomerSearch,
        deadline: Deadline,
    ) -> Result<String, Failure> {
        // The rest of the time is for a new search if no answer comes, and for the case.
        let call = CREATE_PROFILE.unrepeatable(deadline.halfway())?;
        let mut request = self
            .client()
            .create_profile()
            .domain_name(&self.domain()?.name);
        for (member, value) in &profile.members {
            request = set(request, *member, value);
        }
        for (name, value) in &profile.attributes {
            request = request.attributes(name, value);
        }
        let sent = request
            .customize()
            .interceptor(call.attempts.clone())
            .config_override(ConfigBuilder::default().retry_classifier(NeverInDoubt))
            .send()
            .boxed()
            .await;
        match sent {
            Ok(output) => Ok(output.profile_id),
            Err(error) => {
                let failure = call.failure(&error);
                if call.attempts.may_have_succeeded() {
                    self.look_again(search, deadline, &failure).await
                } else {
                    Err(failure)
                }
            }
        }
    }

    /// Searches for the profile that may have been created.
    async fn look_again(
        &self,
        search: &CustomerSearch,
        deadline: Deadline,
        failure: &Failure,
    ) -> Result<String, Failure> {
        for pause in LOOKS {
            if deadline.remaining() <= pause {
                break;
            }
            tokio::time::sleep(pause).await;
            if let Ok(Some(profile_id)) = self.search(search, deadline).await {
                return Ok(profile_id);
            }
        }
        let message = format!(
            "the customer's profile may have been created, and search does not show it yet; calling again searches first. the attempt: {failure}"
        );
        Err(Failure::new(ErrorCode::CustomerUnknown, message).of("customer"))
    }
}

fn set(
    request: CreateProfileFluentBuilder,
    member: ProfileMember,
    value: &str,
) -> CreateProfileFluentBuilder {
    match member {
        ProfileMember::AccountNumber => request.account_number(value),
        ProfileMember::AdditionalInformation => request.additional_information(value),
        ProfileMember::BirthDate => request.birth_date(value),
        ProfileMember::BusinessEmailAddress => request.business_email_address(value),
        ProfileMember::BusinessName => request.business_name(value),
        ProfileMember::BusinessPhoneNumber => request.business_phone_number(value),
        ProfileMember::EmailAddress => request.email_address(value),
        ProfileMember::FirstName => request.first_name(value),
        ProfileMember::GenderString => request.gender_string(value),
        ProfileMember::HomePhoneNumber => request.home_phone_number(value),
        ProfileMember::LastName => request.last_name(value),
        ProfileMember::MiddleName => request.middle_name(value),
        ProfileMember::MobilePhoneNumber => request.mobile_phone_number(value),
        ProfileMember::PartyTypeString => request.party_type_string(value),
        ProfileMember::PersonalEmailAddress => request.personal_email_address(value),
        ProfileMember::PhoneNumber => request.phone_number(value),
    }
}
