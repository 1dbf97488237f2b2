use super::{Call, Dialect, Failure, House, Reply, Step, Unread};

#[derive(Debug)]
pub struct Venueless;

impl Dialect for Venueless {
    fn name(&self) -> &'static str {
        "venueless"
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
