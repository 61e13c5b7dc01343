package model

// ImageQuery asks for images of one account.
type ImageQuery struct {
	Login string
	// Filter and Order may be nil: all, by name.
	Filter *ImageFilter
	Order  *ImageOrder
	Page   Page
}

// BuildQuery asks for builds of one account, newest first.
type BuildQuery struct {
	Login string
	// Image narrows to the builds of one image where not nil.
	Image *Image
	// Phases narrows to builds in one of them where not empty.
	Phases []BuildPhase
	Page   Page
}

// BuildSelector says whose builds a subscriber watches: of the account, and where
// not empty of one image or one build.
type BuildSelector struct {
	Login string
	Image string
	Build string
}
