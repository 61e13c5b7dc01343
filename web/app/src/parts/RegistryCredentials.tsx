import { Button, Skeleton, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useQuery } from 'urql';
import { useChange } from '../api/useChange';
import { graphql } from '../gql';
import { Failure } from './Failure';
import { fieldProblems } from './fieldProblems';
import { type Item, Kept } from './Kept';
import { Section } from './Section';
import { When } from './time';
import { useProblemFocus } from './useProblemFocus';
import classes from './settings.module.css';

const RegistryCredentialsQuery = graphql(`
  query RegistryCredentials {
    viewer {
      id
      registryCredentials {
        id
        registry
        username
        createdAt
      }
    }
  }
`);

const SetRegistryCredential = graphql(`
  mutation SetRegistryCredential($input: SetRegistryCredentialInput!) {
    setRegistryCredential(input: $input) {
      registryCredential {
        id
        registry
        username
        createdAt
      }
    }
  }
`);

const DeleteRegistryCredential = graphql(`
  mutation DeleteRegistryCredential($input: DeleteRegistryCredentialInput!) {
    deleteRegistryCredential(input: $input) {
      deletedID
    }
  }
`);

/** The logins with which builds push and pull. */
export function RegistryCredentials() {
  const [{ data, error }, ask] = useQuery({ query: RegistryCredentialsQuery });
  const remove = useChange(DeleteRegistryCredential);
  const credentials = data?.viewer?.registryCredentials;
  const again = () => ask({ requestPolicy: 'network-only' });

  async function forget(id: string) {
    const done = await remove.run({ id });
    if (done) again();
    return Boolean(done);
  }

  return (
    <Section
      id="registries"
      title="Registry credentials"
      about="Who builds log in as to push, and to pull private base images. Passwords are never shown again."
    >
      {error && !credentials && <Failure error={error} retry={again} />}
      {!error && !credentials && <Skeleton height={48} role="status" aria-busy="true" aria-label="Loading the credentials" />}
      {credentials?.length === 0 && <Text c="dimmed">None yet: images can only be pushed where nobody asks who comes. Add one below.</Text>}
      <Kept items={(credentials ?? []).map(itemOf)} change={remove} remove={forget}>
        Builds that start from now on go without it: pushes to this registry may fail.
      </Kept>
      <SetForm done={again} kept={(credentials ?? []).map((each) => each.registry)} />
    </Section>
  );
}

type Credential = { id: string; registry: string; username: string; createdAt: string };

function itemOf({ id, registry, username, createdAt }: Credential): Item {
  const words = (
    <>
      {username}, set <When at={createdAt} />
    </>
  );
  return { id, name: registry, words, called: `the credential of ${registry}` };
}

const empty = { registry: '', username: '', password: '' };
const names = Object.keys(empty);

/** Sets a login, which the server tries at the registry first. */
function SetForm({ done, kept }: { done: () => void; kept: string[] }) {
  const change = useChange(SetRegistryCredential);
  const [values, setValues] = useState(empty);
  const [saved, setSaved] = useState('');
  const problems = fieldProblems(change.error, names);
  const form = useProblemFocus(change.error);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setSaved('');
    const set = await change.run({ ...values, registry: values.registry.trim(), username: values.username.trim() });
    if (!set) return;
    setValues(empty);
    setSaved(set.setRegistryCredential.registryCredential.registry);
    done();
  }

  function field(name: keyof typeof empty, label: string, description: string, more?: { type: string; autoComplete: string }) {
    return (
      <TextInput
        label={label}
        description={description}
        value={values[name]}
        onChange={(event) => {
          const { value } = event.currentTarget;
          setValues((all) => ({ ...all, [name]: value }));
        }}
        error={problems.at(name)}
        required
        withAsterisk={false}
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        {...more}
      />
    );
  }

  return (
    <form ref={form} className={classes.form} noValidate onSubmit={(event) => void submit(event)} aria-label="Set a registry credential">
      {field('registry', 'Registry', 'As it begins images’ destinations: registry.example.com. One that is there already is replaced.')}
      <div className={classes.pair}>
        {field('username', 'Username', 'Of a user, or what the registry wants with a token.')}
        {field('password', 'Password or token', 'Better a token that may only push and pull.', { type: 'password', autoComplete: 'new-password' })}
      </div>
      {problems.rest && <Failure error={change.error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={change.busy}>
          Try and save
        </Button>
        <Text c="dimmed" size="sm" role="status">
          {kept.includes(saved) && `${saved} took the login. The next build uses it.`}
        </Text>
      </div>
    </form>
  );
}
