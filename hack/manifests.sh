#!/bin/sh
# Writes the manifests for kustomize of the chart's templates, so that there is one source:
# hack/manifests.sh HELM KUBERNETES-VERSION
set -eu
helm=$1
version=$2

render() { # render FILE OPTION...: with the chart's default values and these options
  file=deploy/$1
  shift
  echo "# Made of deploy/helm/drydock by make generate: DO NOT EDIT." >"$file.new"
  # The chart's links to files of deploy/ are told on standard error.
  "$helm" template drydock deploy/helm/drydock --kube-version "$version" --namespace drydock-system "$@" \
    2>"$file.said" | sed -E '/^# Source: /d; s/[[:space:]]+$//' >>"$file.new" || true
  grep -v 'found symbolic link' "$file.said" >&2 && exit 1
  rm "$file.said"
  mv "$file.new" "$file"
}

render programs.yaml --show-only templates/gateway.yaml --show-only templates/controller.yaml --show-only templates/network.yaml
render components/ingress/ingress.yaml --show-only templates/ingress.yaml --set gateway.ingress.enabled=true
render components/http-route/route.yaml --show-only templates/ingress.yaml --set gateway.httpRoute.enabled=true --set "gateway.httpRoute.parentRefs[0].name=gateway"
render components/monitoring/monitors.yaml --show-only templates/monitoring.yaml --set serviceMonitor.enabled=true
render components/conversion/conversion.yaml --show-only templates/conversion.yaml --set conversion.enabled=true
