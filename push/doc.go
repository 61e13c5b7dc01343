// Package push takes what GitHub's webhooks deliver, and starts builds of what was pushed
// (https://docs.github.com/en/webhooks/webhook-events-and-payloads#push). Whoever knows the
// secret of an image's webhook proves it by a signature; nobody else learns which images
// there are. Any replica may take any delivery, and the same one again starts nothing
// twice: what identifies it names the Build.
package push
