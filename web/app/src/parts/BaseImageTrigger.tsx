import { Alert, Switch } from '@mantine/core';
import IconInfoCircle from '@tabler/icons-react/dist/esm/icons/IconInfoCircle.mjs';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from './Failure';
import { Section } from './Section';
import { useTriggers } from './useTriggers';

/** Builds when an image that the newest one was made from moved. */
export function BaseImageTrigger({ image }: { image: ImageFieldsFragment }) {
  const triggers = useTriggers(image);
  const { baseImage, baseImageMessage } = image.triggers;
  return (
    <Section
      id="base-image"
      title="Base image"
      about="Builds when an image that the Dockerfile begins from has moved since the newest build. Those named by digest never move."
    >
      <Switch
        label="Build when a base image moves"
        checked={baseImage}
        disabled={triggers.busy}
        onChange={(event) => void triggers.set({ baseImage: event.currentTarget.checked })}
      />
      <Failure error={triggers.error} />
      {baseImageMessage && (
        <Alert color="yellow" variant="light" icon={<IconInfoCircle />}>
          {baseImageMessage}
        </Alert>
      )}
    </Section>
  );
}
