//! A backend for dialects without a daemon.

use peerage::{
    dialects::{Admission, Backend, BackendError},
    facts::{
        EffectiveGroup, EffectiveRule, EffectiveRules, EffectiveUser, UnixMillis,
        VersionedUserRecord,
    },
    request::{
        Approval, Decision, GrantCondition, GroupPermission, Moderation, PeersSetting, Relation,
        Request, Role, Switch,
    },
    wire::AccessScope,
};
use uuid::Uuid;

/// Everybody is known and may do anything, each is a friend of each, and nothing is read.
pub(crate) struct Everybody;

impl Backend for Everybody {
    fn now(&self) -> UnixMillis {
        0
    }

    fn admission(&self, _: Option<&[u8]>, _: AccessScope) -> Admission {
        Admission::Admitted
    }

    fn guards_decisions(&self) -> bool {
        false
    }

    fn token_name(&self, _: &[u8]) -> Option<String> {
        None
    }

    fn has_store(&self) -> bool {
        true
    }

    fn revision(&self) -> u64 {
        1
    }

    fn decide(&self, _: &Request<'_>) -> Decision {
        Decision::ALLOWED
    }

    fn knows_user(&self, _: &str) -> bool {
        true
    }

    fn allows_tag(&self, _: &str) -> bool {
        true
    }

    fn knows_group(&self, _: &str) -> bool {
        false
    }

    fn moderation(&self, _: &str) -> Option<Moderation> {
        None
    }

    fn peers(&self, _: &str) -> Option<PeersSetting<()>> {
        None
    }

    fn is_on(&self, _: &str, _: Switch) -> Option<bool> {
        None
    }

    fn approval(&self, _: &str) -> Option<Approval> {
        None
    }

    fn has_relation(&self, _: &str, relation: Relation, _: &str) -> bool {
        relation == Relation::Friend
    }

    fn relation_count(&self, _: &str) -> usize {
        1
    }

    fn related_users(&self, _: &str, _: Relation) -> Vec<String> {
        vec!["bob".to_owned()]
    }

    fn tags(&self, _: &str) -> Option<Vec<String>> {
        None
    }

    fn protects_tag(&self, _: &str) -> bool {
        false
    }

    fn role(&self, _: &str, _: &str) -> Option<Role> {
        None
    }

    fn members(&self, _: &str) -> Option<Vec<(String, Role)>> {
        None
    }

    fn group_size(&self, _: &str) -> Option<usize> {
        None
    }

    fn permission(
        &self,
        _: &str,
        _: GroupPermission,
        _: Option<&str>,
    ) -> Option<GrantCondition<String>> {
        None
    }

    fn user_page(&self, _: Option<&str>, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn user_record(&self, _: &str) -> Result<Option<VersionedUserRecord>, BackendError> {
        Ok(Some(VersionedUserRecord::default()))
    }

    fn user(&self, _: &str) -> Result<Option<EffectiveUser>, BackendError> {
        Ok(None)
    }

    fn group(&self, _: &str) -> Result<Option<EffectiveGroup>, BackendError> {
        Ok(None)
    }

    fn rule(&self, _: Uuid) -> Result<Option<EffectiveRule>, BackendError> {
        Ok(None)
    }

    fn rule_page(&self, _: Option<Uuid>, _: usize) -> Result<EffectiveRules, BackendError> {
        Ok(EffectiveRules { rules: Vec::new(), in_force: false })
    }
}
