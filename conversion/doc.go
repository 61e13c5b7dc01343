// Package conversion lets the custom resources change without loss: it turns stored
// objects from one version of the API into another, serves this to the API server as a
// webhook, keeps the certificate by which the API server trusts it, and rewrites what is
// stored when the storage version changes.
//
//   - Convert, by Handler: what changed between v1alpha1 and v1beta1 is moved, all else is
//     left as it is, also fields that this program does not know. So a field that both
//     versions have needs no code here.
//   - Keeper: a certificate authority of Drydock's own in one Secret, whose certificate is
//     put into the definitions that name the webhook. Every replica serves.
//   - Migrate: every stored object in the present storage version, as told in
//     https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
package conversion
