import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment, ImageTriggersInput, SetTriggersMutation } from '../gql/graphql';

const SetTriggers = graphql(`
  mutation SetTriggers($input: UpdateImageInput!) {
    updateImage(input: $input) {
      image {
        ...ImageFields
      }
      pushWebhook {
        url
        secret
      }
    }
  }
`);

/** The webhook to set up at GitHub, whose secret shows this once. */
export type PushWebhook = NonNullable<SetTriggersMutation['updateImage']['pushWebhook']>;

/** useTriggers changes some of an image's triggers: the server takes all of them at once, so the others go along as they are. */
export function useTriggers(image: ImageFieldsFragment) {
  const change = useChange(SetTriggers);
  const { push, schedule, baseImage } = image.triggers;
  const set = (some: ImageTriggersInput) => change.run({ id: image.id, triggers: { push, schedule, baseImage, ...some } });
  return { ...change, set };
}
