/* gSOAP with its plugins for WS-Security and WS-Addressing: gives back what it was sent, once it has checked who sent it.
   Arguments: its port, and where it is to sign and to want signatures its key with its certificate, and the authority.
   Without these it sends binary fields as MTOM. */
#include <openssl/pem.h>
#include <stdlib.h>
#include "soapH.h"
#include "Aman.nsmap"
#include "wsseapi.h"
#include "wsaapi.h"

static EVP_PKEY *key;
static X509 *certificate;

static int signed_answer(struct soap *soap)
{
    soap_wsse_delete_Security(soap);
    return soap_wsa_reply(soap, NULL, "urn:aman:simpanResponse")
        || soap_wsse_add_Timestamp(soap, "Time", 60)
        || soap_wsse_add_BinarySecurityTokenX509(soap, "X509Token", certificate)
        || soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#X509Token")
        || soap_wsse_sign_body(soap, SOAP_SMD_SIGN_RSA_SHA256, key, 0);
}

int __ns1__simpan(struct soap *soap, struct ns1__Berkas *asked, struct ns1__Berkas *answer)
{
    *answer = *asked;
    if (soap_wsa_check(soap))
        return soap->error;
    if (!key)
        return soap_wsa_reply(soap, NULL, "urn:aman:simpanResponse");
    if (soap_wsse_verify_Timestamp(soap) || soap_wsse_verify_Password(soap, "rahasia") || soap_wsse_verify_body(soap))
        return soap->error;
    return signed_answer(soap);
}

/* The plugin for addresses wants to have this; nobody sends faults here. */
int SOAP_ENV__Fault(struct soap *soap, char *a, char *b, char *c, struct SOAP_ENV__Detail *d, struct SOAP_ENV__Code *e,
    struct SOAP_ENV__Reason *f, char *g, char *h, struct SOAP_ENV__Detail *i)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h, (void)i;
    return soap_send_empty_response(soap, SOAP_OK);
}

static void secure(struct soap *soap, const char *own, const char *authority)
{
    FILE *file = fopen(own, "r");
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    soap_ssl_init();
    soap_register_plugin(soap, soap_wsse);
    soap->cafile = authority;
}

int main(int count, char **words)
{
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING | (count > 3 ? SOAP_XML_CANONICAL : SOAP_ENC_MTOM));
    soap->bind_flags = SO_REUSEADDR;
    soap->recv_timeout = 2; /* seconds: it serves one connection at a time */
    soap_register_plugin(soap, soap_wsa);
    if (count > 3)
        secure(soap, words[2], words[3]);
    if (count < 2 || !soap_valid_socket(soap_bind(soap, "127.0.0.1", atoi(words[1]), 100)))
        return 1;
    while (soap_valid_socket(soap_accept(soap)))
    {
        if (key)
            soap_wsse_verify_auto(soap, SOAP_SMD_VRFY_RSA_SHA256, NULL, 0);
        soap_serve(soap);
        soap_destroy(soap);
        soap_end(soap);
    }
    return 0;
}
