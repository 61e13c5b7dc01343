// Package launch makes Builds of images: the one piece that the gateway, for people and
// pushes, and the controller, for schedules and base images, start builds with.
package launch
