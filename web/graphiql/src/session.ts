/** How this installation lets people sign in; the gateway writes it into the page. */
export const signIn = {
  dev: offers('dev'),
  github: offers('github'),
};

function offers(way: string): boolean {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="drydock-sign-in"]');
  return (meta?.content ?? '').split(' ').includes(way);
}

/** Who is signed in, by login; null when nobody is. */
export async function whoIs(): Promise<string | null> {
  const response = await post('/graphql', { query: '{ viewer { login } }' });
  const body = (await response.json()) as { data?: { viewer?: { login: string } | null } };
  return body.data?.viewer?.login ?? null;
}

/** Signs in without a password; only an installation started with --dev takes it. */
export async function devSignIn(login: string): Promise<void> {
  await accepted(await post('/auth/dev', { login }));
}

/** Ends the browser's session. */
export async function signOut(): Promise<void> {
  await accepted(await post('/auth/logout', {}));
}

function post(path: string, body: unknown): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  });
}

async function accepted(response: Response): Promise<void> {
  if (response.ok) return;
  throw new Error(words(await response.text()) || `The server answered ${response.status}: try again soon.`);
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
