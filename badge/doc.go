// Package badge draws the status badges that people put into their READMEs: one small SVG
// per state, in the style of shields.io. No text of anybody's is in them.
package badge
