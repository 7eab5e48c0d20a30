// The length of a frame, which is that of every step of the grid: what all threads and both drivers count by.

/** In milliseconds. */
export const FRAME_MS = 20;

/** At 48 kHz, per channel; what an RTP timestamp goes on by. */
export const FRAME_SAMPLES = 960;
