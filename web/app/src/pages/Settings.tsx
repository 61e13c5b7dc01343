import { Title } from '@mantine/core';
import { usePageTitle } from '../frame/usePageTitle';
import { AccessTokens } from '../parts/AccessTokens';
import { RegistryCredentials } from '../parts/RegistryCredentials';

/** The signed-in person's secrets: logins at registries, and tokens for this API. */
export function Settings() {
  usePageTitle('Settings');
  return (
    <>
      <Title order={1} mb="lg">
        Settings
      </Title>
      <RegistryCredentials />
      <AccessTokens />
    </>
  );
}
