//! Flow graph, taint rules, settlement and the trace loop.
