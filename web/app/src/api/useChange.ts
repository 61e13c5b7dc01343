import { useRef, useState } from 'react';
import { type CombinedError, type TypedDocumentNode, useMutation } from 'urql';

type Input = { clientMutationID?: string | null };

/**
 * useChange runs a mutation of one input, and keeps what went wrong until the next try. It gives the clientMutationID: the
 * same input again after a failure is the same change, which the server makes once, whether or not its answer was lost.
 */
export function useChange<Data, In extends Input>(document: TypedDocumentNode<Data, { input: In }>) {
  const [{ fetching }, execute] = useMutation(document);
  const [error, setError] = useState<CombinedError>();
  const tried = useRef<{ input: string; key: string }>(undefined);

  /** run gives the answer, or nothing when it failed. */
  async function run(input: Omit<In, 'clientMutationID'>): Promise<Data | undefined> {
    setError(undefined);
    const text = JSON.stringify(input);
    if (tried.current?.input !== text) tried.current = { input: text, key: freshKey() };
    const answer = await execute({ input: { ...input, clientMutationID: tried.current.key } as In });
    setError(answer.error);
    if (answer.error) return undefined;
    tried.current = undefined;
    return answer.data;
  }
  return { run, busy: fetching, error, forget: () => setError(undefined) };
}

/** freshKey is random; unlike crypto.randomUUID it is there without HTTPS, too. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
