import { type FormEvent, useEffect, useState } from 'react';
import { devSignIn, signIn, signOut, whoIs } from './session';

/** The bar over the explorer: who is signed in, and how to change that. */
export function Bar({ onChange }: { onChange: () => void }) {
  const [login, setLogin] = useState<string | null>();
  const [problem, setProblem] = useState('');

  async function refresh(change?: () => Promise<void>) {
    setProblem('');
    try {
      await change?.();
      if (change) onChange();
      setLogin(await whoIs());
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  useEffect(() => {
    void refresh();
  }, []);

  return (
    <header className="bar">
      <a className="brand" href="/">
        Drydock
      </a>
      <span className="problem" role="alert">
        {problem}
      </span>
      {login === null && <SignIn onSubmit={(name) => refresh(() => devSignIn(name))} />}
      {login && (
        <>
          <span>
            signed in as <strong>{login}</strong>
          </span>
          <button type="button" onClick={() => void refresh(signOut)}>
            Sign out
          </button>
        </>
      )}
    </header>
  );
}

function SignIn({ onSubmit }: { onSubmit: (login: string) => Promise<void> }) {
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    void onSubmit(String(new FormData(event.currentTarget).get('login') ?? ''));
  }
  return (
    <>
      {signIn.dev && (
        <form onSubmit={submit}>
          <label>
            sign in as <input name="login" defaultValue="ada" required autoComplete="username" />
          </label>
          <button type="submit">Sign in</button>
        </form>
      )}
      {signIn.github && (
        <a className="button" href="/auth/github?return_to=/graphiql">
          Sign in with GitHub
        </a>
      )}
    </>
  );
}
