import { Button, Modal, Switch, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { UpdateImage } from '../api/images';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from '../parts/Failure';
import { ImageForm, type ImageValues } from './ImageForm';
import classes from './ImageSettings.module.css';

const DeleteImage = graphql(`
  mutation DeleteImage($input: DeleteImageInput!) {
    deleteImage(input: $input) {
      deletedID
    }
  }
`);

/** An image's settings: the definition, whether it builds at all, and its end. */
export function ImageSettings({ image }: { image: ImageFieldsFragment }) {
  const update = useChange(UpdateImage);
  const [saved, setSaved] = useState(false);
  return (
    <>
      <ImageForm
        initial={valuesOf(image)}
        named
        busy={update.busy}
        error={update.error}
        submit="Save"
        onSubmit={async ({ name: _, ...input }) => {
          setSaved(false);
          if (await update.run({ id: image.id, ...input })) setSaved(true);
        }}
        beside={
          <Text c="dimmed" size="sm" role="status">
            {saved && 'Saved. The next build takes it.'}
          </Text>
        }
      />
      <Suspension image={image} />
      <Deletion image={image} />
    </>
  );
}

function valuesOf({ name, source, destination, tags, platforms, buildArgs, cache, timeoutSeconds }: ImageFieldsFragment): ImageValues {
  const { repository, ref, context, dockerfile } = source;
  return {
    name,
    source: { repository, ref, context, dockerfile },
    destination,
    tags,
    platforms,
    buildArgs: buildArgs.map(({ key, value }) => ({ key, value })),
    cache,
    timeoutSeconds: timeoutSeconds ?? null,
  };
}

function Suspension({ image }: { image: ImageFieldsFragment }) {
  const update = useChange(UpdateImage);
  return (
    <section className={`card ${classes.part}`}>
      <div>
        <Title order={2}>Suspend</Title>
        <Text c="dimmed" size="sm">
          A suspended image starts no build. Builds that run go on.
        </Text>
        <Failure error={update.error} />
      </div>
      <Switch label="Suspended" checked={image.suspended} onChange={(event) => void update.run({ id: image.id, suspended: event.currentTarget.checked })} />
    </section>
  );
}

function Deletion({ image }: { image: ImageFieldsFragment }) {
  const remove = useChange(DeleteImage);
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState('');

  async function run() {
    if (await remove.run({ id: image.id })) void navigate('/', { replace: true });
  }

  return (
    <section className={`card ${classes.part}`}>
      <div>
        <Title order={2}>Delete</Title>
        <Text c="dimmed" size="sm">
          The definition and its builds go, unfinished builds are cancelled. What was pushed stays in the registry.
        </Text>
      </div>
      <Button variant="default" className={classes.danger} onClick={() => setAsked(true)}>
        Delete image
      </Button>
      {/* lockScroll would add a style element, which the Content-Security-Policy forbids. */}
      <Modal
        opened={asked}
        onClose={() => setAsked(false)}
        title={`Delete ${image.name}?`}
        centered
        lockScroll={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <form
          className={classes.confirm}
          onSubmit={(event) => {
            event.preventDefault();
            if (typed === image.name) void run();
          }}
        >
          <TextInput
            label={`Type “${image.name}” to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            data-autofocus
            spellCheck={false}
            autoComplete="off"
          />
          <Failure error={remove.error} />
          <div className={classes.buttons}>
            <Button variant="subtle" color="gray" onClick={() => setAsked(false)}>
              Keep it
            </Button>
            <Button type="submit" color="red" disabled={typed !== image.name} loading={remove.busy}>
              Delete
            </Button>
          </div>
        </form>
      </Modal>
    </section>
  );
}
