//! What links say, key by key over what is said more generally: built-in defaults, `[defaults]`, the link to the
//! service, the link to the operation.

use std::time::Duration;

use crate::{
    design,
    model::{Batch, Breaker, Delivery, Fallback, Policy, Retry},
};

/// How long a batch that is not full waits, where nothing is said.
const WITHIN: Duration = Duration::from_millis(100);

/// The policy of calls: `links` from the most general to the most specific.
pub(super) fn of_calls(defaults: &design::Defaults, links: &[&design::Link]) -> Policy {
    let mut policy = Policy::call();
    if let Some(timeout) = &defaults.timeout {
        policy.timeout = timeout.value;
    }
    of_links(policy, defaults, links)
}

/// The policy of messages. `[defaults] timeout` is that of one call and does not bound what a message does.
pub(super) fn of_messages(defaults: &design::Defaults, links: &[&design::Link]) -> Policy {
    of_links(Policy::message(), defaults, links)
}

fn of_links(mut policy: Policy, defaults: &design::Defaults, links: &[&design::Link]) -> Policy {
    if let Some(retry) = &defaults.retry {
        merge_retry(&mut policy.retry, &retry.value);
    }
    if let Some(breaker) = &defaults.breaker {
        merge_breaker(&mut policy.breaker, &breaker.value);
    }
    if let Some(bulkhead) = &defaults.bulkhead {
        policy.bulkhead = bulkhead.value;
    }
    let mut dead_letter = None;
    for link in links {
        if let Some(timeout) = &link.timeout {
            policy.timeout = timeout.value;
        }
        if let Some(retry) = &link.retry {
            merge_retry(&mut policy.retry, &retry.value);
        }
        if let Some(breaker) = &link.breaker {
            merge_breaker(&mut policy.breaker, &breaker.value);
        }
        if let Some(bulkhead) = &link.bulkhead {
            policy.bulkhead = bulkhead.value;
        }
        if let Some(fallback) = &link.fallback {
            policy.fallback = fallback.value.iter().map(|fallback| lower_fallback(fallback.value)).collect();
        }
        if let Some(delivery) = &link.delivery {
            policy.delivery = match delivery.value {
                design::Delivery::AtLeastOnce => Delivery::AtLeastOnce,
                design::Delivery::AtMostOnce => Delivery::AtMostOnce,
            };
        }
        if let Some(keep) = &link.dead_letter {
            dead_letter = Some(keep.value);
        }
        if let Some(batch) = &link.batch {
            merge_batch(&mut policy.batch, &batch.value);
        }
    }
    // A message that is acknowledged before the work is not there to be kept.
    policy.dead_letter = dead_letter.unwrap_or(policy.delivery == Delivery::AtLeastOnce);
    policy
}

fn merge_retry(retry: &mut Retry, said: &design::Retry) {
    if let Some(attempts) = &said.attempts {
        retry.attempts = attempts.value;
    }
    if let Some(backoff) = &said.backoff {
        retry.backoff = (backoff.value.min, backoff.value.max);
    }
}

fn merge_breaker(breaker: &mut Option<Breaker>, said: &design::Breaker) {
    match said {
        design::Breaker::Off => *breaker = None,
        design::Breaker::On { failure_rate, window, open_for } => {
            let merged = breaker.get_or_insert(Breaker::USUAL);
            if let Some(rate) = failure_rate {
                merged.failure_rate = rate.value;
            }
            if let Some(window) = window {
                merged.window = window.value;
            }
            if let Some(open_for) = open_for {
                merged.open_for = open_for.value;
            }
        }
    }
}

fn merge_batch(batch: &mut Batch, said: &design::Batch) {
    if let Some(size) = &said.size {
        batch.size = size.value;
    }
    match &said.within {
        Some(within) => batch.within = within.value,
        None if batch.size > 1 && batch.within.is_zero() => batch.within = WITHIN,
        None => {}
    }
}

fn lower_fallback(fallback: design::Fallback) -> Fallback {
    match fallback {
        design::Fallback::Cache => Fallback::Cache,
        design::Fallback::Queue => Fallback::Queue,
        design::Fallback::Default => Fallback::Default,
    }
}
