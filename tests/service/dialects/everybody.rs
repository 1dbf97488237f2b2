//! What a dialect asks of, without a daemon.

use peerage::{
    dialects::{Admission, House, Unread},
    facts::{GroupTold, Kept, RuleTold, RulesTold, Since, UserTold},
    request::{
        Approval, Decision, GroupPermission, Moderation, PeersMode, Relation, Request, Role,
        Switch, Value,
    },
};
use uuid::Uuid;

/// Everybody is known and may do anything, each is a friend of each, and nothing is read.
pub(crate) struct Everybody;

impl House for Everybody {
    fn now(&self) -> Since {
        0
    }

    fn admission(&self, _: Option<&[u8]>) -> Admission {
        Admission::Admitted
    }

    fn keeps_facts(&self) -> bool {
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

    fn takes_tag(&self, _: &str) -> bool {
        true
    }

    fn knows_group(&self, _: &str) -> bool {
        false
    }

    fn moderation(&self, _: &str) -> Option<Moderation> {
        None
    }

    fn peers(&self, _: &str) -> Option<PeersMode> {
        None
    }

    fn is_on(&self, _: &str, _: Switch) -> Option<bool> {
        None
    }

    fn approval(&self, _: &str) -> Option<Approval> {
        None
    }

    fn has(&self, _: &str, relation: Relation, _: &str) -> bool {
        relation == Relation::Friend
    }

    fn ties(&self, _: &str) -> usize {
        1
    }

    fn related(&self, _: &str, _: Relation) -> Vec<String> {
        vec!["bob".to_owned()]
    }

    fn tags(&self, _: &str) -> Option<Vec<String>> {
        None
    }

    fn protects(&self, _: &str) -> bool {
        false
    }

    fn role(&self, _: &str, _: &str) -> Option<Role> {
        None
    }

    fn members(&self, _: &str) -> Option<Vec<(String, Role)>> {
        None
    }

    fn size(&self, _: &str) -> Option<usize> {
        None
    }

    fn permission(&self, _: &str, _: GroupPermission, _: Option<&str>) -> Option<Value<String>> {
        None
    }

    fn users(&self, _: Option<&str>, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn kept(&self, _: &str) -> Result<Option<Kept>, Unread> {
        Ok(Some(Kept::default()))
    }

    fn user(&self, _: &str) -> Result<Option<UserTold>, Unread> {
        Ok(None)
    }

    fn group(&self, _: &str) -> Result<Option<GroupTold>, Unread> {
        Ok(None)
    }

    fn rule(&self, _: Uuid) -> Result<Option<RuleTold>, Unread> {
        Ok(None)
    }

    fn rules(&self, _: Option<Uuid>, _: usize) -> Result<RulesTold, Unread> {
        Ok(RulesTold { rules: Vec::new(), in_force: false })
    }
}
