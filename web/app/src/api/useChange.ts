import { useState } from 'react';
import { type AnyVariables, type CombinedError, type TypedDocumentNode, useMutation } from 'urql';

/** useChange runs a mutation and keeps what went wrong until the next try. */
export function useChange<Data, Variables extends AnyVariables>(document: TypedDocumentNode<Data, Variables>) {
  const [{ fetching }, execute] = useMutation(document);
  const [error, setError] = useState<CombinedError>();

  /** run gives the answer, or nothing when it failed. */
  async function run(variables: Variables): Promise<Data | undefined> {
    setError(undefined);
    const answer = await execute(variables);
    setError(answer.error);
    return answer.error ? undefined : answer.data;
  }
  return { run, busy: fetching, error, forget: () => setError(undefined) };
}
