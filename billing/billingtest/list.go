package billingtest

import "net/http"

// The page sizes of Stripe's lists (https://docs.stripe.com/api/pagination).
const (
	defaultLimit = 10
	maxLimit     = 100
)

func (c *call) limit() int {
	if !c.params.has("limit") {
		return defaultLimit
	}
	limit := c.params.integer("limit")
	if limit < 1 || limit > maxLimit {
		c.params.fail(invalid("limit", "parameter_invalid_integer", "This value must be between 1 and %d (it currently is '%d').", maxLimit, limit))
		return defaultLimit
	}
	return int(limit)
}

// list answers with a page of those items that match, newest first.
func (c *call) list(noun, url string, home *collection, match func(object) bool) (object, *apiError) {
	limit := c.limit()
	after, before := c.params.text("starting_after"), c.params.text("ending_before")
	expand := c.params.texts("expand")
	if err := c.params.done(); err != nil {
		return nil, err
	}
	if after != "" && before != "" {
		return nil, invalid("", "", "Received both starting_after and ending_before parameters. Please pass in only one.")
	}
	items := home.Items
	cursor, step, at := after, -1, len(items)-1
	if before != "" {
		cursor, step, at = before, 1, 0
	}
	if cursor != "" {
		found := false
		if at, found = home.find(cursor); !found {
			return nil, missing(http.StatusBadRequest, noun, "starting_after", cursor)
		}
		at += step
	}
	data, more := []any{}, false
	for ; at >= 0 && at < len(items); at += step {
		if !match(items[at]) {
			continue
		}
		if len(data) == limit {
			more = true
			break
		}
		data = append(data, clone(items[at]))
	}
	if step > 0 {
		for i, j := 0, len(data)-1; i < j; i, j = i+1, j-1 {
			data[i], data[j] = data[j], data[i]
		}
	}
	page := object{"object": "list", "data": data, "has_more": more, "url": url}
	return page, c.expand(page, expand)
}

// created reads the filter on times of creation.
func (c *call) created() func(object) bool {
	if !c.params.has("created") {
		return func(object) bool { return true }
	}
	if _, ok := c.params.values["created"].(string); ok {
		exact := c.params.integer("created")
		return func(o object) bool { return number(o, "created") == exact }
	}
	span := c.params.within("created")
	if span == nil {
		return func(object) bool { return true }
	}
	low, high := int64(0), int64(1<<62)
	if span.has("gt") {
		low = max(low, span.integer("gt")+1)
	}
	if span.has("gte") {
		low = max(low, span.integer("gte"))
	}
	if span.has("lt") {
		high = min(high, span.integer("lt")-1)
	}
	if span.has("lte") {
		high = min(high, span.integer("lte"))
	}
	if err := span.done(); err != nil {
		c.params.fail(err)
	}
	return func(o object) bool { at := number(o, "created"); return at >= low && at <= high }
}
