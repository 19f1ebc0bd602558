// How large files are cut for hashing piece by piece.

/** 1 MiB: what one Range request of a resuming client asks for (`bytes=0-1048575`). The last chunk may be shorter. */
export const chunkBytes = 1 << 20;
