//! koda-agent.
