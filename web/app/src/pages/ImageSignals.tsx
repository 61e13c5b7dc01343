import type { ImageFieldsFragment } from '../gql/graphql';
import { BadgeSection } from '../parts/BadgeSection';
import { WebhookSection } from '../parts/WebhookSection';

/** Who is told how an image is doing: everybody by a badge, a program by a webhook. */
export function ImageSignals({ image }: { image: ImageFieldsFragment }) {
  return (
    <>
      <BadgeSection image={image} />
      <WebhookSection image={image} />
    </>
  );
}
