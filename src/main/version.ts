// What this server says it is. Clients of the protocol decide by `lavalink` what they may ask for, so that is
// the version whose behaviour is kept (reference: Lavalink 4.2.2); `pumice` is the product's own.

export const PUMICE_VERSION = '0.1.0';

/** Reported by /version and /v4/info. */
export const LAVALINK_VERSION = { semver: '4.2.2', major: 4, minor: 2, patch: 2, preRelease: '' } as const;

/** Value of the Lavalink-Api-Version header. */
export const API_VERSION = '4';
