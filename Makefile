# Everything a developer runs. `make help` lists it.
GO       ?= go
SHELL    := /bin/sh
K8S      := v1.36.3
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BINARIES := bin/drydock bin/controller bin/devstack
GOTOOL   := $(GO) tool -modfile=tools/go.mod
LINT     := $(GO) tool -modfile=tools/lint/go.mod golangci-lint
export KUBESTACK := $(CURDIR)/bin/kubestack
export BUILDKIT := $(CURDIR)/bin/buildkit

.PHONY: help
help: ## Tell what there is to make
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: packages-run build ## Build what is missing, then run the whole service on this machine
	@exec bin/devstack $(ARGS)

.PHONY: build
build: web bin/kubestack $(BINARIES) ## Build every binary into bin/

.PHONY: FORCE
FORCE:

bin/drydock: FORCE
	@hack/gobuild.sh drydock $(GO) build -ldflags '$(LDFLAGS)' -o $@ .

bin/controller bin/devstack: bin/%: FORCE
	@hack/gobuild.sh $* $(GO) build -ldflags '$(LDFLAGS)' -o $@ ./cmd/$*

bin/kubestack: FORCE
	@CGO_ENABLED=0 hack/gobuild.sh kubestack $(GO) build -C kubestack \
		-ldflags '-s -w -X k8s.io/component-base/version.gitVersion=$(K8S)' -o ../$@ .

bin/buildkit: tools/buildkit/go.mod
	@CGO_ENABLED=0 hack/gobuild.sh buildkit $(GO) build -C tools/buildkit -ldflags '-s -w' -o ../../$@/ \
		github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl
	@touch $@

IMAGE_PREFIX ?= localhost/drydock
CERTIFICATES ?= /etc/ssl/certs/ca-certificates.crt
.PHONY: images
images: web packages-run ## Build the container images IMAGE_PREFIX-gateway and -controller, of VERSION
	@for image in gateway:. controller:./cmd/controller; do \
		set -e; name=$${image%%:*}; dir=bin/images/$$name; mkdir -p $$dir; cp $(CERTIFICATES) $$dir/; \
		CGO_ENABLED=0 hack/gobuild.sh $$name $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $$dir/program $${image#*:}; \
		buildah bud --quiet --isolation chroot --file deploy/Dockerfile --tag $(IMAGE_PREFIX)-$$name:$(VERSION) $$dir; \
		echo "$(IMAGE_PREFIX)-$$name:$(VERSION)"; \
	done

.PHONY: web
web: web/app/dist/index.html web/graphiql/dist/index.html ## Bundle the browser's parts (needs Node)

sources = $(shell find $(1) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/src/gql/*' 2>/dev/null)
web/app/dist/index.html: $(call sources,web/app) $(wildcard schema/*.graphqls)
web/graphiql/dist/index.html: $(call sources,web/graphiql)
web/%/dist/index.html:
	@hack/packages.sh web
	cd web/$* && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

.PHONY: driver
driver: e2e/browser/driver/node_modules/package/package.json ## Install Playwright, which drives the browser in tests (needs Node)

e2e/browser/driver/node_modules/package/package.json: e2e/browser/driver/package-lock.json e2e/browser/driver/.npmrc
	@hack/packages.sh web
	cd e2e/browser/driver && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/package/package.json

DRYDOCK_URL ?= http://127.0.0.1:8080
.PHONY: dev
dev: web/app/dist/index.html ## Serve the app with hot reload, over the stack that `make run` started at DRYDOCK_URL
	@cd web/app && DRYDOCK_URL=$(DRYDOCK_URL) exec npm run --silent dev

.PHONY: test
test: packages-test web driver bin/kubestack bin/buildkit ## Run every test, on the real control plane
	$(GO) test -race -shuffle=on -timeout 40m ./...
	CGO_ENABLED=0 $(GO) test -C kubestack -shuffle=on -timeout 15m ./...

.PHONY: check
check: check-generated check-format check-vet check-lint check-web test ## All that CI runs

.PHONY: check-generated
check-generated: generate
	@git diff --exit-code -- api deploy graph resolvers go.mod go.sum || \
		{ echo 'generated code is not up to date: run make generate and commit'; exit 1; }

.PHONY: check-format
check-format:
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "run gofmt -w on:"; echo "$$out"; exit 1; }

.PHONY: check-vet
check-vet:
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) vet -C kubestack ./...

.PHONY: check-lint
check-lint:
	$(LINT) run --allow-serial-runners ./...

.PHONY: check-web
check-web: web
	@cd web/app && npm run --silent lint

.PHONY: format
format: web ## Format Go, TypeScript and styles
	@gofmt -w $$(git ls-files '*.go')
	@cd web/app && npm run --silent format

.PHONY: generate
generate: ## Generate graph/ from schema/, CRDs and deep copies from api/, RBAC from markers, manifests from the chart
	$(GO) tool gqlgen generate
	$(GOTOOL) controller-gen object paths=./api/... \
		crd:crdVersions=v1,maxDescLen=400 output:crd:dir=deploy/crds
	$(GOTOOL) controller-gen paths=./cluster paths=./controller paths=./cmd/controller \
		rbac:roleName=unnamed,headerFile=deploy/accounts.yaml,fileName=rbac.yaml output:rbac:dir=deploy
	CGO_ENABLED=0 $(GO) build -C tools/deploy -o ../../bin/helm helm.sh/helm/v3/cmd/helm
	hack/manifests.sh bin/helm $(K8S)

.PHONY: bench
bench: packages-test web driver bin/kubestack $(BINARIES) ## Measure speed and memory; figures go to bench/results
	$(GO) run ./bench

.PHONY: packages-run packages-test
packages-run: ; @hack/packages.sh run web
packages-test: ; @hack/packages.sh run test web browser

.PHONY: clean
clean: ## Remove what was built, and the development stack's state
	rm -rf bin .devstack web/*/node_modules e2e/browser/driver/node_modules web/*/dist/* web/app/src/gql
