//! A clock for a laptop: it waits really, but a fraction of the time.

use std::time::Duration;

use crate::run::Clock;

/// Waits one part in so many of what it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Scaled {
    /// How many of a state machine's seconds pass in one second.
    pub speed: u32,
}

impl Clock for Scaled {
    async fn wait(&mut self, span: Duration) {
        tokio::time::sleep(span / self.speed.max(1)).await;
    }
}
