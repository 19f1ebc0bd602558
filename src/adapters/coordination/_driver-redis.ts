// The Redis client, and nothing of ours: a file of its own in the bundle, loaded with import().
export { createClient, createCluster, ErrorReply } from "@redis/client";
