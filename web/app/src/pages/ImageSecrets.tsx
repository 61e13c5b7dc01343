import type { ImageFieldsFragment } from '../gql/graphql';
import { BuildSecrets } from '../parts/BuildSecrets';
import { GitCredential } from '../parts/GitCredential';

/** What an image's builds may know and nobody is shown: how the repository is read, and what RUN steps mount. */
export function ImageSecrets({ image }: { image: ImageFieldsFragment }) {
  return (
    <>
      <GitCredential image={image} />
      <BuildSecrets image={image} />
    </>
  );
}
