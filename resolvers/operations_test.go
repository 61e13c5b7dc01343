package resolvers_test

import (
	"os"
	"testing"
)

// The operations that several tests use.
const (
	createImage = `mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id name } clientMutationID } }`
	updateImage = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { id suspended timeoutSeconds tags } clientMutationID } }`
	deleteImage = `mutation ($input: DeleteImageInput!) { deleteImage(input: $input) { deletedID clientMutationID } }`
	startBuild  = `mutation ($input: StartBuildInput!) { startBuild(input: $input) { build { id number phase trigger } clientMutationID } }`
	cancelBuild = `mutation ($input: CancelBuildInput!) { cancelBuild(input: $input) { build { id phase } clientMutationID } }`
	retryBuild  = `mutation ($input: RetryBuildInput!) { retryBuild(input: $input) { build { id number trigger } clientMutationID } }`
	// revokeAccessTokens ends the tokens of whoever asks.
	revokeAccessTokens = `mutation ($input: RevokeAccessTokensInput!) { revokeAccessTokens(input: $input) { clientMutationID } }`
	checkout           = `mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) { url clientMutationID } }`
	portal             = `mutation ($input: CreatePortalSessionInput!) { createPortalSession(input: $input) { url clientMutationID } }`
	setCredential      = `mutation ($input: SetRegistryCredentialInput!) { setRegistryCredential(input: $input) { registryCredential { id registry username createdAt } clientMutationID } }`
	deleteCredential   = `mutation ($input: DeleteRegistryCredentialInput!) { deleteRegistryCredential(input: $input) { deletedID clientMutationID } }`
	setGit             = `mutation ($input: SetGitCredentialInput!) { setGitCredential(input: $input) { image { id gitCredential { kind host username createdAt } } clientMutationID } }`
	setWebhook         = `mutation ($input: SetWebhookInput!) { setWebhook(input: $input) { image { id webhook { url createdAt } } secret clientMutationID } }`
	deleteWebhook      = `mutation ($input: DeleteWebhookInput!) { deleteWebhook(input: $input) { image { id webhook { url } } clientMutationID } }`
	setSecret          = `mutation ($input: SetBuildSecretInput!) { setBuildSecret(input: $input) { image { id buildSecrets { key createdAt } } clientMutationID } }`
	deleteSecret       = `mutation ($input: DeleteBuildSecretInput!) { deleteBuildSecret(input: $input) { image { id buildSecrets { key } } clientMutationID } }`
	deleteGit          = `mutation ($input: DeleteGitCredentialInput!) { deleteGitCredential(input: $input) { image { id gitCredential { kind } } clientMutationID } }`
)

// imageInput is a legal new image.
func imageInput(name string) map[string]any {
	return map[string]any{
		"name":        name,
		"source":      map[string]any{"repository": "https://git.example.com/" + name + ".git"},
		"destination": "registry.example.com/" + name,
	}
}

// dashboard is the reference query, as the benchmark sends it.
func dashboard(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../bench/queries/dashboard.graphql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
