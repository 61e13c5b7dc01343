import { Alert, Button, Text } from '@mantine/core';
import IconAlertTriangle from '@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs';
import type { CombinedError } from 'urql';
import { codeOf, requestIdOf, words } from '../api/words';

/** What went wrong and what to do. */
export function Failure({ error, title, retry }: { error: CombinedError | undefined; title?: string; retry?: () => void }) {
  if (!error) return null;
  const requestId = requestIdOf(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title ?? titleOf(error)} role="alert">
      {words(error)}
      {requestId && (
        <Text size="xs" mt={4}>
          Request {requestId}
        </Text>
      )}
      {codeOf(error) === 'UNAUTHENTICATED' && (
        <div>
          <Button size="xs" variant="default" mt="sm" onClick={() => location.reload()}>
            Sign in again
          </Button>
        </div>
      )}
      {retry && codeOf(error) !== 'UNAUTHENTICATED' && (
        <div>
          <Button size="xs" variant="default" mt="sm" onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </Alert>
  );
}

function titleOf(error: CombinedError): string {
  switch (codeOf(error)) {
    case 'UNAVAILABLE':
    case 'TIMEOUT':
    case undefined:
      return 'Not available just now';
    case 'UNAUTHENTICATED':
      return 'You are signed out';
    case 'LIMIT_EXCEEDED':
      return 'Your plan does not allow more';
    case 'BAD_USER_INPUT':
      return 'Please check the input';
    default:
      return 'That did not work';
  }
}
