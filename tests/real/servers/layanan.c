/* gSOAP: what soapcpp2 makes of the WSDL calls these two functions; the program's argument is its port. */
#include <stdlib.h>
#include <string.h>
#include "soapH.h"
#include "LayananBinding.nsmap"

int __ns1__gema(struct soap *soap, struct _ns1__gema *asked, struct _ns1__gemaResponse *answer)
{
    answer->return_ = asked->data;
    answer->return_->telepon = strcmp(asked->data->teks, "kosong") ? NULL : soap_strdup(soap, "");
    return SOAP_OK;
}

int __ns1__gagal(struct soap *soap, struct _ns1__gagal *asked, struct _ns1__gagalResponse *answer)
{
    (void)answer;
    return soap_sender_fault(soap, asked->alasan, NULL);
}

int main(int count, char **words)
{
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING | SOAP_IO_KEEPALIVE);
    soap->bind_flags = SO_REUSEADDR;
    soap->recv_timeout = 1; /* seconds: it serves one connection at a time */
    if (count != 2 || !soap_valid_socket(soap_bind(soap, "127.0.0.1", atoi(words[1]), 100)))
        return 1;
    while (soap_valid_socket(soap_accept(soap)))
    {
        soap_serve(soap);
        soap_destroy(soap);
        soap_end(soap);
    }
    return 0;
}
