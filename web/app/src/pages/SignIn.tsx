import { Button, Divider, Text, TextInput, Title } from '@mantine/core';
import IconBrandGithub from '@tabler/icons-react/dist/esm/icons/IconBrandGithub.mjs';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'react-router';
import { usePageTitle } from '../frame/usePageTitle';
import { devSignIn, signIn } from '../session';
import classes from './SignIn.module.css';

/** The page for people who are not signed in: what this is, and the ways in. The address stays, so that they arrive where they wanted to go. */
export function SignIn() {
  usePageTitle('Sign in');
  const { pathname, search, hash } = useLocation();
  const target = encodeURIComponent(pathname + search + hash);
  return (
    <div className={classes.page}>
      <div>
        <Title order={1} className={classes.claim}>
          Container images, built from git.
        </Title>
        <Text c="dimmed" mt="md" size="lg" maw={440}>
          Name a repository and a registry. Drydock builds the image on Kubernetes, pushes it, and you pay for the minutes it took.
        </Text>
      </div>
      <section className={`card ${classes.box}`} aria-label="Sign in">
        <Title order={2}>Sign in</Title>
        {signIn.github && (
          <Button component="a" href={`/auth/github?return_to=${target}`} leftSection={<IconBrandGithub size={18} />} size="md" fullWidth>
            Continue with GitHub
          </Button>
        )}
        {signIn.github && signIn.dev && <Divider label="or, in development" />}
        {signIn.dev && <ByLogin />}
        {!signIn.github && !signIn.dev && <Text>Nobody can sign in here yet: the gateway needs a GitHub OAuth app.</Text>}
      </section>
    </div>
  );
}

/** Signs in by login alone, where the installation allows it. */
function ByLogin() {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      await devSignIn(String(new FormData(event.currentTarget).get('login')));
      location.reload(); // a new session: nothing of the old one may stay
    } catch (error) {
      setBusy(false);
      setProblem(error instanceof TypeError ? 'The server cannot be reached: try again soon.' : (error as Error).message);
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} className={classes.form}>
      <TextInput
        label="GitHub login"
        name="login"
        description="Any login will do: no password is asked for."
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        withAsterisk={false}
        error={problem}
      />
      <Button type="submit" loading={busy} variant={signIn.github ? 'default' : 'filled'} fullWidth>
        Sign in
      </Button>
    </form>
  );
}
