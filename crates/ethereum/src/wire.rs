//! Endpoints of EVM chains as wires: HTTP by the shared client, WebSocket and local sockets by alloy's.

mod policy;
mod socket;

use std::sync::Arc;

use hansel_wire::{EndpointSpec, Limits, OpenError, OpenOptions, Paces, Wire, http_wire};

pub use socket::{SocketPlace, SocketWire};

/// Names a live endpoint; nothing is sent before the first request.
pub(crate) fn evm_wire(
    spec: &EndpointSpec,
    options: &OpenOptions,
    paces: &Paces,
) -> Result<Arc<dyn Wire>, OpenError> {
    let place = match spec.url().scheme() {
        // A WebSocket that goes past the proxy would tell who asks.
        "ws" | "wss" if options.proxy.is_some() => {
            let endpoint = spec.to_string();
            return Err(OpenError::SocketProxy { endpoint });
        }
        "ws" | "wss" => SocketPlace::WebSocket(spec.url().clone()),
        "ipc" => SocketPlace::Ipc(spec.url().path().into()),
        _ => return http_wire(spec, options, None, paces),
    };
    let limits = Limits {
        concurrency: spec
            .concurrency
            .map_or(options.limits.concurrency, Into::into),
        requests_per_second: spec
            .requests_per_second
            .or(options.limits.requests_per_second),
        ..options.limits
    };
    Ok(Arc::new(SocketWire::new(place, limits)))
}
