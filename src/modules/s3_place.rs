//! Where S3 is asked about a docroot, and by which client.

use std::time::{Duration, Instant};

use super::objects_cause::Cause;
use super::s3_options::Access;
use crate::aspera::audit;
use crate::aspera::objects::{S3Place, Unclear};
use crate::http::{Client, Limits, Origin, Proxies, Scheme};
use crate::s3::Place;

/// The longest time that a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How often longer than one request everything together may take.
const REQUESTS_IN_TIME: u32 = 20;

/// Creates the client of a task. It takes the authorities over.
pub(super) fn new_client(access: &mut Access) -> Client {
    let limits = Limits {
        connect: CONNECT.min(access.timeout),
        request: access.timeout,
        deadline: Instant::now().checked_add(access.timeout * REQUESTS_IN_TIME),
    };
    let authorities = std::mem::take(&mut access.authorities);
    Client::new(limits, Proxies::of_environment(), authorities)
}

/// Returns the bucket at its server, and the region that the server names.
pub(super) fn place(access: &Access, found: &S3Place) -> Result<(Place, Option<String>), Cause> {
    let (origin, is_amazon, region) = match &access.endpoint {
        Some(endpoint) => {
            let known = audit::Endpoint::parse(&endpoint.authority());
            (
                endpoint.clone(),
                known.is_plain_service(),
                known.region().map(str::to_owned),
            )
        }
        None => {
            let endpoint = found.endpoint().map_err(Cause::Unclear)?;
            let origin = Origin::of_authority(Scheme::Https, &found.host);
            let origin = origin.map_err(|_| Cause::Unclear(Unclear::Host))?;
            (
                origin,
                endpoint.is_amazon(),
                endpoint.region().map(str::to_owned),
            )
        }
    };
    if !Place::is_bucket(&found.bucket) {
        return Err(Cause::NotABucket);
    }
    // The region of the host comes first, except where the user names an endpoint.
    let region = match &access.endpoint {
        Some(_) => access.region.clone().or(region),
        None => region,
    };
    let style = access
        .style
        .unwrap_or_else(|| Place::fitting_style(&found.bucket, is_amazon));
    let place = Place {
        origin,
        bucket: found.bucket.clone(),
        style,
        is_amazon,
    };
    Ok((place, region))
}
