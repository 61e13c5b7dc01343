package billingtest

import (
	"net/http"
	"slices"
)

func (c *call) createProduct() (object, *apiError) {
	id := c.params.text("id")
	if id == "" {
		id = newID("prod_")
	}
	products := c.server.state.Products
	if _, taken := products.get(id); taken {
		return nil, invalid("id", "resource_already_exists", "Product already exists.")
	}
	product := object{
		"id": id, "object": "product", "active": true, "created": c.now, "updated": c.now, "default_price": nil,
		"description": nil, "features": []any{}, "images": []any{}, "livemode": false, "metadata": object{},
		"name": c.params.required("name"), "package_dimensions": nil, "shippable": nil, "statement_descriptor": nil,
		"tax_code": nil, "type": "service", "unit_label": nil, "url": nil,
	}
	expand, err := c.setProduct(product)
	if err != nil {
		return nil, err
	}
	products.add(id, product)
	c.record("product.created", product, nil)
	answer := clone(product)
	return answer, c.expand(answer, expand)
}

func (c *call) getProduct() (object, *apiError) {
	expand := c.params.texts("expand")
	product, ok := c.server.state.Products.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "product", "id", c.id)
	}
	if err := c.params.done(); err != nil {
		return nil, err
	}
	answer := clone(product)
	return answer, c.expand(answer, expand)
}

func (c *call) updateProduct() (object, *apiError) {
	product, ok := c.server.state.Products.get(c.id)
	if !ok {
		return nil, missing(http.StatusNotFound, "product", "id", c.id)
	}
	next := clone(product)
	if price := c.params.text("default_price"); price != "" {
		next["default_price"] = price
	}
	next["updated"] = c.now
	expand, err := c.setProduct(next)
	if err != nil {
		return nil, err
	}
	before := clone(product)
	replace(product, next)
	c.updated("product.updated", before, product)
	answer := clone(product)
	return answer, c.expand(answer, expand)
}

func (c *call) listProducts() (object, *apiError) {
	created, ids := c.created(), c.params.texts("ids")
	byActive, active := c.params.has("active"), c.params.boolean("active")
	return c.list("product", "/v1/products", c.server.state.Products, func(o object) bool {
		return created(o) && (!byActive || o["active"] == active) && (len(ids) == 0 || slices.Contains(ids, text(o, "id")))
	})
}

func (c *call) setProduct(product object) ([]string, *apiError) {
	if c.params.has("name") {
		product["name"] = c.params.required("name")
	}
	for _, name := range []string{"description", "unit_label", "url", "statement_descriptor"} {
		if c.params.has(name) {
			product[name] = orNil(c.params.text(name))
		}
	}
	if c.params.has("active") {
		product["active"] = c.params.boolean("active")
	}
	product["metadata"] = c.params.metadata(within(product, "metadata"))
	expand := c.params.texts("expand")
	return expand, c.params.done()
}
