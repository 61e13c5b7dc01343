// Package controller turns queued Builds into pushed images and metered seconds.
//
// These reconcilers share the work; each phase of a Build has one writer:
//
//   - queue, by namespace (an account): Queued builds. It decides, oldest first,
//     which of them may start, and makes their Jobs. One reconcile per account at a
//     time and reads that go past the cache keep the plan's bound; places, which all
//     accounts share, keep the cluster's, and give everybody a turn.
//   - walls, by namespace: quota, limits, network policy and Pod Security of accounts,
//     as their plans are now. The queue waits for them.
//   - runs, by Build: Running builds. It follows the Job's pod, ends builds that were
//     cancelled or ran too long, keeps the log, and writes the final phase, once.
//   - meters, by Build: ended builds. It tells billing the seconds, again and again
//     until they are taken. An outage there holds up no phase. A deleted build leaves
//     its seconds in the ledger, a ConfigMap, before it goes.
//   - late, by namespace: builds that billing was not told of for a day. What the
//     account's meter holds tells which of them it has; see package metering.
//   - schedules, by Image: starts the builds that are due.
//   - latest, by Image: keeps an image's status.latestBuild.
//   - hooks, by Build: tells images' webhooks of ended builds.
//   - statuses, by Build: shows builds at their commits on GitHub.
//   - retention, by Image: deletes builds that are kept no longer.
//
// Once a day Books compares meter, Builds and ledger, and tells of drift.
//
// All of them are level-based: whatever is found is brought one step further, so a
// controller may die between any two writes. What makes a step repeatable: a Job
// bears the name of its Build, a kept log's ConfigMaps bear names of their own, a
// meter event bears the Build's UID, and every status write carries the
// resourceVersion it was decided on.
package controller
