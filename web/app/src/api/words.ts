import type { CombinedError } from 'urql';

/** The closed list of failure kinds that the gateway gives as extensions.code, as far as the pages act on them. */
export type Code = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED' | 'UNAVAILABLE' | string;

/** words are what to tell people of a failure: the gateway's own, which say what to do. */
export function words(error: CombinedError): string {
  if (error.graphQLErrors.length > 0) return error.graphQLErrors.map((each) => each.message).join(' ');
  if (error.response?.status >= 500) return 'The server cannot answer just now: try again soon.';
  return 'The server cannot be reached: check the connection, then try again.';
}

/** codeOf is the kind of a failure. */
export function codeOf(error: CombinedError | undefined): Code | undefined {
  return error?.graphQLErrors[0]?.extensions.code as Code | undefined;
}

/** requestIdOf helps the installation's people to find a failure in their log. */
export function requestIdOf(error: CombinedError): string | undefined {
  return error.graphQLErrors[0]?.extensions.requestId as string | undefined;
}
