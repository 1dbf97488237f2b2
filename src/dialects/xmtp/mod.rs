use super::{Call, Dialect, Failure, House, Reply, Step, Unread};

#[derive(Debug)]
pub struct Xmtp;

impl Dialect for Xmtp {
    fn name(&self) -> &'static str {
        "xmtp"
    }

    fn takes(&self, _: &str) -> bool {
        false
    }

    fn answer(&self, _: &Call<'_>, _: &dyn House) -> Result<Step<Reply>, Unread> {
        Ok(Step::Done(Reply::empty(404)))
    }

    fn failed(&self, _: &Failure) -> Reply {
        Reply::empty(503)
    }
}
