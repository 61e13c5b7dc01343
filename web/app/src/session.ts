/** How this installation lets people sign in; the gateway writes it into the page. */
export const signIn = { dev: offers('dev'), github: offers('github') };

function offers(way: string): boolean {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="drydock-sign-in"]');
  return (meta?.content ?? '').split(' ').includes(way) || (import.meta.env.DEV && way === 'dev');
}

/** Signs in without a password; only an installation started with --dev takes it. */
export async function devSignIn(login: string): Promise<void> {
  await post('/auth/dev', { login });
}

/** Ends the browser's session, and with the page everything that was read in it. */
export async function signOut(): Promise<void> {
  await post('/auth/logout', {});
  location.assign('/');
}

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text(); // all of it has come before the page is left
  if (response.ok) return;
  throw new Error(words(text) || `The server answered ${response.status}: try again soon.`);
}

/** words are what an answer of the gateway says to people. */
function words(text: string): string {
  try {
    const body = JSON.parse(text) as { error?: string; errors?: { message: string }[] };
    return body.error ?? body.errors?.map((each) => each.message).join(' ') ?? '';
  } catch {
    return text.trim().slice(0, 200);
  }
}
