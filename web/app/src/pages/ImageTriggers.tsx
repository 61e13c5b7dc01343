import type { ImageFieldsFragment } from '../gql/graphql';
import { BaseImageTrigger } from '../parts/BaseImageTrigger';
import { PushTrigger } from '../parts/PushTrigger';
import { ScheduleTrigger } from '../parts/ScheduleTrigger';

/** What starts an image's builds besides people. */
export function ImageTriggers({ image }: { image: ImageFieldsFragment }) {
  return (
    <>
      <PushTrigger image={image} />
      <ScheduleTrigger image={image} />
      <BaseImageTrigger image={image} />
    </>
  );
}
