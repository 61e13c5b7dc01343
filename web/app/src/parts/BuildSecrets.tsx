import { Button, Text, TextInput, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import type { ImageFieldsFragment } from '../gql/graphql';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { Kept } from './Kept';
import { Section } from './Section';
import { When } from './time';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

const SetBuildSecret = graphql(`
  mutation SetBuildSecret($input: SetBuildSecretInput!) {
    setBuildSecret(input: $input) {
      image {
        id
        buildSecrets {
          key
          createdAt
        }
      }
    }
  }
`);

const DeleteBuildSecret = graphql(`
  mutation DeleteBuildSecret($input: DeleteBuildSecretInput!) {
    deleteBuildSecret(input: $input) {
      image {
        id
        buildSecrets {
          key
          createdAt
        }
      }
    }
  }
`);

/** What an image's builds may mount, by key; values are set, and never come back. */
export function BuildSecrets({ image }: { image: ImageFieldsFragment }) {
  const remove = useChange(DeleteBuildSecret);
  const items = image.buildSecrets.map(({ key, createdAt }) => ({
    id: key,
    name: key,
    words: (
      <>
        set <When at={createdAt} />
      </>
    ),
    called: `the secret ${key}`,
  }));
  return (
    <Section
      id="build-secrets"
      title="Build secrets"
      about={
        <>
          A Dockerfile reads one by <code>RUN --mount=type=secret,id=KEY</code> as the file <code>/run/secrets/KEY</code>. No layer and no log holds it.
        </>
      }
    >
      {items.length === 0 && <Text c="dimmed">None yet.</Text>}
      <Kept items={items} change={remove} remove={async (key) => Boolean(await remove.run({ image: image.id, key }))}>
        Builds that start from now on go without it.
      </Kept>
      <SetForm image={image.id} kept={image.buildSecrets.map((each) => each.key)} />
    </Section>
  );
}

function SetForm({ image, kept }: { image: string; kept: string[] }) {
  const change = useChange(SetBuildSecret);
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const [saved, setSaved] = useState('');
  const problems = fieldProblems(change.error, ['key', 'value']);
  const form = useProblemFocus(change.error);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setSaved('');
    if (!(await change.run({ image, key: key.trim(), value }))) return;
    setSaved(key.trim());
    setKey('');
    setValue('');
  }

  return (
    <form ref={form} className={classes.form} noValidate onSubmit={(event) => void submit(event)} aria-label="Set a build secret">
      <TextInput
        label="Key"
        description="Letters, digits and _ . -, as the Dockerfile names it. One that is there already is replaced."
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        error={problems.at('key')}
        required
        withAsterisk={false}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
      />
      <Textarea
        label="Value"
        description="Any text, at most 64 KiB. It is not shown again."
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        error={problems.at('value')}
        rows={3}
        required
        withAsterisk={false}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
      />
      {problems.rest && <Failure error={change.error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={change.busy}>
          Save secret
        </Button>
        <Text c="dimmed" size="sm" role="status">
          {kept.includes(saved) && `${saved} is kept. The next build may mount it.`}
        </Text>
      </div>
    </form>
  );
}
