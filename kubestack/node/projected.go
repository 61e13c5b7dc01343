package node

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const defaultFileMode = int32(0o644)

// volumeFiles reads the files of a volume that is made from API objects.
func (p *pod) volumeFiles(volume corev1.Volume) ([]volumeFile, error) {
	switch source := volume.VolumeSource; {
	case source.Secret != nil:
		return p.projectedFiles(volume.Name, source.Secret.DefaultMode, corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: source.Secret.SecretName},
			Items:                source.Secret.Items, Optional: source.Secret.Optional,
		}})
	case source.ConfigMap != nil:
		return p.projectedFiles(volume.Name, source.ConfigMap.DefaultMode, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: source.ConfigMap.LocalObjectReference,
			Items:                source.ConfigMap.Items, Optional: source.ConfigMap.Optional,
		}})
	case source.DownwardAPI != nil:
		return p.projectedFiles(volume.Name, source.DownwardAPI.DefaultMode, corev1.VolumeProjection{
			DownwardAPI: &corev1.DownwardAPIProjection{Items: source.DownwardAPI.Items},
		})
	case source.Projected != nil:
		return p.projectedFiles(volume.Name, source.Projected.DefaultMode, source.Projected.Sources...)
	}
	return nil, fmt.Errorf("this node has emptyDir, hostPath, secret, configMap, downwardAPI and projected volumes only")
}

func (p *pod) projectedFiles(volume string, defaultMode *int32, sources ...corev1.VolumeProjection) ([]volumeFile, error) {
	mode := defaultFileMode
	if defaultMode != nil {
		mode = *defaultMode
	}
	object := p.current()
	var files []volumeFile
	for _, source := range sources {
		var more []volumeFile
		var err error
		switch {
		case source.Secret != nil:
			var data map[string][]byte
			if data, err = p.secret(object.Namespace, source.Secret.Name, source.Secret.Optional); err == nil {
				more, err = keyFiles(data, source.Secret.Items, source.Secret.Optional, mode)
			}
		case source.ConfigMap != nil:
			var data map[string][]byte
			if data, err = p.configMap(object.Namespace, source.ConfigMap.Name, source.ConfigMap.Optional); err == nil {
				more, err = keyFiles(data, source.ConfigMap.Items, source.ConfigMap.Optional, mode)
			}
		case source.DownwardAPI != nil:
			more, err = p.downwardFiles(object, source.DownwardAPI.Items, mode)
		case source.ServiceAccountToken != nil:
			more, err = p.tokenFile(volume, *source.ServiceAccountToken, mode)
		default:
			err = fmt.Errorf("this node cannot project this source: %v", source)
		}
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, nil
}

// keyFiles picks keys of a Secret or ConfigMap: all of them, or those the items name.
func keyFiles(data map[string][]byte, items []corev1.KeyToPath, optional *bool, mode int32) ([]volumeFile, error) {
	var files []volumeFile
	if len(items) == 0 {
		for key, value := range data {
			files = append(files, volumeFile{path: key, data: value, mode: fs.FileMode(mode)})
		}
		return files, nil
	}
	for _, item := range items {
		value, found := data[item.Key]
		if !found {
			if optional != nil && *optional {
				continue
			}
			return nil, fmt.Errorf("references non-existent key: %s", item.Key)
		}
		files = append(files, volumeFile{path: item.Path, data: value, mode: fileMode(item.Mode, mode)})
	}
	return files, nil
}

func (p *pod) downwardFiles(object *corev1.Pod, items []corev1.DownwardAPIVolumeFile, mode int32) ([]volumeFile, error) {
	var files []volumeFile
	for _, item := range items {
		var value string
		var err error
		if item.FieldRef != nil {
			value, err = podField(object, item.FieldRef.FieldPath)
		} else {
			value, err = p.resourceField(object, item.ResourceFieldRef, "")
		}
		if err != nil {
			return nil, err
		}
		files = append(files, volumeFile{path: item.Path, data: []byte(value), mode: fileMode(item.Mode, mode)})
	}
	return files, nil
}

// tokenFile asks for a token of the pod's service account, bound to the pod, and has the file renewed before it expires.
func (p *pod) tokenFile(volume string, source corev1.ServiceAccountTokenProjection, mode int32) ([]volumeFile, error) {
	object := p.current()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: object.Name, UID: object.UID},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	ctx, cancel := context.WithTimeout(p.term, publishTimeout)
	defer cancel()
	account := p.node.client.CoreV1().ServiceAccounts(object.Namespace)
	answer, err := account.CreateToken(ctx, object.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	lifetime := time.Until(answer.Status.ExpirationTimestamp.Time)
	time.AfterFunc(lifetime*4/5, func() { p.renewToken(volume, source, mode) })
	return []volumeFile{{path: source.Path, data: []byte(answer.Status.Token), mode: fs.FileMode(mode)}}, nil
}

func (p *pod) renewToken(volume string, source corev1.ServiceAccountTokenProjection, mode int32) {
	if p.term.Err() != nil {
		return
	}
	files, err := p.tokenFile(volume, source, mode)
	if err == nil {
		err = files[0].write(p.path("volumes", volume))
	}
	if err != nil {
		p.node.log.Warn("renew service account token", "error", err)
		time.AfterFunc(time.Minute, func() { p.renewToken(volume, source, mode) })
	}
}

func fileMode(own *int32, otherwise int32) fs.FileMode {
	if own != nil {
		return fs.FileMode(*own)
	}
	return fs.FileMode(otherwise)
}
